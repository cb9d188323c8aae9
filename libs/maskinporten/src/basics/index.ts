// What knows nothing of us.
export { FolderInUseError, FolderLock, FolderNotLockableError } from './folder-lock.js';
export { withoutByteOrderMark } from './without-byte-order-mark.js';
export { withoutLineBreak } from './without-line-break.js';
export { ownMembers } from './own-members.js';
export { onAbort } from './on-abort.js';
export type { AbortSource } from './on-abort.js';
export { TemporaryFolder } from './temporary-folder.js';
