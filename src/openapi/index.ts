export { describeService } from './describe-service.js';
