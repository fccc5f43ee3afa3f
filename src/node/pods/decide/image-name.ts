// Whether a text is the name of an image: `nginx`, `registry:5000/team/app:1.2@sha256:…` (the grammar of
// distribution/reference, ParseNormalizedNamed). Pure; whether there is such an image only a registry can tell.

/** Longer than any name that can be right: a host of 255 characters, a path of 255, a tag of 128, a digest. */
const MAX_LENGTH = 1024;
const MAX_PATH = 255;
const NAME_PART = /^(?:[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)$/;
const IPV6 = /^\[[a-fA-F0-9:]+\]$/;
const PORT = /^[0-9]+$/;
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const HEX = /^[0-9a-f]+$/;
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const NO_FORMAT = 'invalid reference format';

/** What is said of a container or a volume whose image has no such name; undefined: it is one. */
export function invalidImageName(image: string): string | undefined {
  const why = whyNoImageName(image);
  return why && `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`;
}

/** Why it is none, in upstream's words; undefined: it is one. */
export function whyNoImageName(image: string): string | undefined {
  if (image.length > MAX_LENGTH) return NO_FORMAT;
  if (image.length === 64 && HEX.test(image)) {
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  }
  const at = image.indexOf('@');
  const [named, digest] = at < 0 ? [image, undefined] : [image.slice(0, at), image.slice(at + 1)];
  const { domain, rest } = split(named);
  const colon = rest.indexOf(':');
  const [path, tag] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (path.toLowerCase() !== path) return `${NO_FORMAT}: repository name (${path}) must be lowercase`;
  const parts = path.split('/');
  if (!isDomain(domain) || !parts.every((part) => PATH_PART.test(part))) return NO_FORMAT;
  if (tag !== undefined && !TAG.test(tag)) return NO_FORMAT;
  if (path.length > MAX_PATH) return `repository name must not be more than ${MAX_PATH} characters`;
  return digest === undefined ? undefined : whyNoDigest(digest);
}

/** What comes before the first slash is a host only if it looks like one; otherwise all is a path on Docker Hub. */
function split(named: string): { domain: string; rest: string } {
  const slash = named.indexOf('/');
  const first = named.slice(0, Math.max(0, slash));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const [domain, rest] = isHost ? [first, named.slice(slash + 1)] : ['docker.io', named];
  return { domain, rest: domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest };
}

function isDomain(domain: string): boolean {
  const colon = domain.endsWith(']') ? -1 : domain.lastIndexOf(':');
  const host = colon < 0 ? domain : domain.slice(0, colon);
  if (colon >= 0 && !PORT.test(domain.slice(colon + 1))) return false;
  return IPV6.test(host) || host.split('.').every((part) => NAME_PART.test(part));
}

function whyNoDigest(digest: string): string | undefined {
  const colon = digest.indexOf(':');
  const encoded = digest.slice(colon + 1);
  if (colon <= 0 || encoded.length < 32 || !/^[0-9a-fA-F]+$/.test(encoded)) return NO_FORMAT;
  const wanted = Object.entries(DIGEST_LENGTHS).find(([name]) => name === digest.slice(0, colon))?.[1];
  if (wanted === undefined) return 'unsupported digest algorithm';
  if (encoded.length !== wanted) return 'invalid checksum digest length';
  return HEX.test(encoded) ? undefined : 'invalid checksum digest format';
}
