// The unpacked files of images, which CRI of containerd 1.6 has no call for: a read-only view of an image's topmost
// snapshot, by containerd's own service. Mounting it is the volumes' business.
import { status } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import type { ImageFiles } from '../runtime.ts';
import { CriChannel, RuntimeCallError } from './channel.ts';
import { imageService, snapshotService } from './services.ts';

/** As in containerd's configuration. */
const SNAPSHOTTER = 'overlayfs';
/** What has this label is no garbage to containerd, whatever becomes of the image. */
const KEEP = { 'containerd.io/gc.root': 'stead' };

/** @param options.socket of containerd. */
export function containerdImageFiles(options: { socket: string; clock: Clock }): ImageFiles & {
  close(): void;
} {
  const channel = new CriChannel(options.socket, options.clock);
  return {
    async keep(key, image) {
      const snapshot = { snapshotter: SNAPSHOTTER, key };
      const view = { ...snapshot, parent: await topmostSnapshot(channel, image), labels: KEEP };
      const answer = await channel.call(snapshotService.View, view).catch((error: unknown) => {
        if (!isCode(error, status.ALREADY_EXISTS)) throw error;
        return channel.call(snapshotService.Mounts, snapshot);
      });
      const [mount] = answer.mounts;
      if (mount === undefined) throw new Error(`containerd does not say how to mount the files of ${image}`);
      return { type: mount.type, source: mount.source, options: mount.options };
    },
    async letGo(key) {
      await channel
        .call(snapshotService.Remove, { snapshotter: SNAPSHOTTER, key })
        .catch((error: unknown) => {
          if (!isCode(error, status.NOT_FOUND)) throw error;
        });
    },
    close: () => channel.close(),
  };
}

const isCode = (error: unknown, code: status): boolean =>
  error instanceof RuntimeCallError && error.code === code;

/** The name of the snapshot that holds all layers of an image. */
async function topmostSnapshot(channel: CriChannel, image: string): Promise<string> {
  const request = { image: { image }, verbose: true };
  const answer = await channel.call(imageService.ImageStatus, request);
  const info: { chainID?: string } = JSON.parse(answer.info.info ?? '{}');
  if (!info.chainID) throw new Error(`containerd does not say where the files of ${image} are`);
  return info.chainID;
}
