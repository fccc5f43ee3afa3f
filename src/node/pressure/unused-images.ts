// Which images may go when the disk is nearly full (kubelet images/image_gc_manager.go). Pure.
import type { Pod } from '../../api/generated/types.ts';
import { fullName } from '../images/import.ts';
import { everyContainer } from '../pods/decide/view.ts';
import type { Container, Image } from '../runtime.ts';

/**
 * The images that no container was made of and that no pod of the node names. One without a digest of a registry was
 * loaded from a file, and could not be brought back: it stays.
 * @param keep names of images that the node itself needs.
 */
export function unusedImages(
  images: readonly Image[],
  containers: readonly Container[],
  pods: Iterable<Pod>,
  keep: readonly string[],
): Image[] {
  const used = new Set(containers.flatMap(({ image, imageId }) => [image, imageId]));
  for (const name of keep) used.add(name);
  for (const pod of pods) {
    for (const { image } of everyContainer(pod)) if (image) used.add(fullName(image));
    for (const { image } of pod.spec.volumes ?? []) if (image?.reference) used.add(fullName(image.reference));
  }
  return images.filter(
    ({ digests, id, tags }) =>
      digests.length > 0 && ![id, ...tags, ...digests].some((name) => used.has(name)),
  );
}
