// The services of containerd that stead calls, as protos/ describes them: the runtime and image services are CRI, the others
// containerd's own. What a method takes and gives is generated from the same files (generated/).
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { packageFile } from '../../base/package-files.ts';
import type { Services as Cri } from './generated/cri.ts';
import type { Services as Events } from './generated/events.ts';
import type { Services as Snapshots } from './generated/snapshots.ts';
import type { Services as Tasks } from './generated/tasks.ts';

// proto-loader knows no more of a message than that it is an object; scripts/generate-cri.mjs has asked it the rest.
const services = loadSync(
  ['cri.proto', 'events.proto', 'snapshots.proto', 'tasks.proto'].map((name) =>
    packageFile(`dist/src/node/cri/protos/${name}`),
  ),
  { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
) as PackageDefinition & Cri & Events & Snapshots & Tasks;

export const runtimeService = services['runtime.v1.RuntimeService'];
export const imageService = services['runtime.v1.ImageService'];
export const eventService = services['containerd.services.events.v1.Events'];
export const snapshotService = services['containerd.services.snapshots.v1.Snapshots'];
export const taskService = services['containerd.services.tasks.v1.Tasks'];
