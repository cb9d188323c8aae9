export { DemoModule, DemoSimulator } from './demo-simulator.js';
export { welcome } from './welcome.js';
