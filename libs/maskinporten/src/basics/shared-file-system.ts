/** By the number that statfs(2) gives them on Linux. */
const SHARED_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9P'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x5346414f, 'AFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
  [0x73757245, 'Coda'],
  [0x19830326, 'BeeGFS'],
  [0x20030528, 'OrangeFS'],
  [0xaad7aaea, 'PanFS'],
  [0x6b414653, 'AFS'],
  [0x786f4256, 'a shared folder of VirtualBox'],
  [0x7c7c6673, 'a shared folder of Parallels'],
  [0xbacbacbc, 'a shared folder of VMware'],
]);

/**
 * The name of a file system whose files other machines, or a program, may have too: what one kernel locks there, another
 * does not see. Undefined for those of this machine alone.
 *
 * @param type as `fs.statfs` gives it on Linux
 */
export const sharedFileSystem = (type: number): string | undefined => SHARED_FILE_SYSTEMS.get(type >>> 0);
