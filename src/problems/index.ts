export { DelegationProblemFilter } from './delegation-problem.filter.js';
export { InvalidRequestException } from './invalid-request.exception.js';
export { MaskinportenProblemFilter } from './maskinporten-problem.filter.js';
export { ProblemAnswers } from './problem-answers.js';
export { ProblemDetailsFilter } from './problem-details.filter.js';
export { UnavailableException } from './unavailable.exception.js';
