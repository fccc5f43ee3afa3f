// What /version says.

/** Clients choose what to send by major and minor; the rest says that this is stead. */
export const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+stead',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
