export { apiClient } from './api-client.js';
