export { DemoModule } from './demo.module.js';
export { DemoSimulator } from './demo-simulator.js';
export { welcome } from './welcome.js';
