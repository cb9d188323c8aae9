export { type Operator, makeOperator } from './operator.js';
export { type OperatorControls, operatorRoutes } from './operator.routes.js';
export { pageRoutes } from './page.routes.js';
