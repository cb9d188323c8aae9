// What knows nothing of us.
export { FolderInUseError, FolderLock, FolderNotLockableError } from './folder-lock.js';
