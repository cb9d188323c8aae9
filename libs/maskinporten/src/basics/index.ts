// What knows nothing of us.
export { FolderInUseError, FolderLock, FolderNotLockableError } from './folder-lock.js';
export { withoutByteOrderMark } from './without-byte-order-mark.js';
export { withoutLineBreak } from './without-line-break.js';
