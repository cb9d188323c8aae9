export {
  DelegationProblemFilter,
  MaskinportenProblemFilter,
  ProblemAnswers,
  ProblemDetailsFilter,
} from './problem-filters.js';
export { InvalidRequestException, UnavailableException } from './problem.js';
