// fieldValidation through the front door: fields that are unknown or there twice, in JSON, YAML and patches.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type FrontDoor, openFrontDoor } from '../test-front-door.ts';

const SETS = '/apis/apps/v1/namespaces/default/statefulsets';
const YAML = { 'content-type': 'application/yaml' };

/** As upstream's own test of the feature has it, for the kind that is served here. */
const jsonBody = (name: string): string => `{
  "apiVersion": "apps/v1", "kind": "StatefulSet",
  "metadata": {"name": "${name}", "labels": {"app": "x", "app": "nginx"}},
  "spec": {
    "unknown1": "val1",
    "unknownDupe": "valDupe", "unknownDupe": "valDupe2",
    "replicas": 1, "replicas": 0,
    "selector": {"matchLabels": {"app": "nginx"}},
    "template": {
      "metadata": {"labels": {"app": "nginx"}},
      "spec": {"containers": [{"name": "nginx", "image": "nginx", "unknownNested": "a",
        "imagePullPolicy": "Always", "imagePullPolicy": "Never"}]}
    }
  }
}`;
const JSON_REPORTS = [
  'duplicate field "metadata.labels.app"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
  'duplicate field "spec.replicas"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
];

const yamlBody = (name: string): string => `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: ${name}
spec:
  unknown1: val1
  unknownDupe: valDupe
  unknownDupe: valDupe2
  replicas: 1
  replicas: 0
  selector:
    matchLabels:
      app: nginx
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx
`;
const YAML_LINES = [
  'line 8: key "unknownDupe" already set in map',
  'line 10: key "replicas" already set in map',
  'line 15: key "selector" already set in map',
];
const YAML_UNKNOWN = ['unknown field "spec.unknown1"', 'unknown field "spec.unknownDupe"'];

let door: FrontDoor;
before(async () => {
  door = await openFrontDoor();
});

test('JSON: warnings by default, a refusal with Strict, nothing with Ignore; the last one counts', async () => {
  const strict = await door.ask('POST', `${SETS}?fieldValidation=Strict`, { body: jsonBody('a') });
  assert.equal(strict.code, 400);
  assert.equal(
    strict.json().message,
    `StatefulSet in version "v1" cannot be handled as a StatefulSet: strict decoding error: ${JSON_REPORTS.join(', ')}`,
  );
  const warned = await door.ask('POST', SETS, { body: jsonBody('b') });
  assert.equal(warned.code, 201);
  assert.deepEqual(warned.warnings, JSON_REPORTS);
  const { spec } = warned.json<{ spec: { replicas: number } }>();
  assert.equal(spec.replicas, 0);
  const ignored = await door.ask('POST', `${SETS}?fieldValidation=Ignore`, { body: jsonBody('c') });
  assert.deepEqual([ignored.code, ignored.warnings], [201, []]);
  const put = await door.ask('PUT', `${SETS}/b?fieldValidation=Strict`, { body: jsonBody('b') });
  assert.match(put.json().message ?? '', /duplicate field "spec.replicas"/);
});

test('YAML: lines, not paths', async () => {
  const strict = await door.ask('POST', `${SETS}?fieldValidation=Strict`, {
    headers: YAML,
    body: yamlBody('d'),
  });
  assert.equal(
    strict.json().message,
    `StatefulSet in version "v1" cannot be handled as a StatefulSet: strict decoding error: yaml: unmarshal errors:\n${YAML_LINES.map((line) => `  ${line}`).join('\n')}, ${YAML_UNKNOWN.join(', ')}`,
  );
  const warned = await door.ask('POST', SETS, { headers: YAML, body: yamlBody('d') });
  assert.deepEqual([warned.code, warned.warnings], [201, [...YAML_LINES, ...YAML_UNKNOWN]]);
  const asYaml = '{"metadata": {"name": "e"},\n "data": {"a": "1", "a": "2"}}';
  const json = await door.ask('POST', '/api/v1/namespaces/default/configmaps', {
    headers: YAML,
    body: asYaml,
  });
  assert.deepEqual(json.warnings, ['line 2: key "a" already set in map']);
});

test('keys are found whatever stands around them', async () => {
  const body = `{"metadata":{"name":"tricky"},"data":{"a\\"b":"x:y","a\\\\":"{\\"q\\":1}","u\\u0061":"1","ua" : "2","":"[","" :"]"}}`;
  const target = '/api/v1/namespaces/default/configmaps?fieldValidation=Strict';
  const { json } = await door.ask('POST', target, { body });
  const refused = await door.ask('POST', '/api/v1/namespaces/default/configmaps', { body });
  assert.deepEqual(
    [refused.code, refused.warnings],
    [422, ['duplicate field "data.ua"', 'duplicate field "data."']],
  );
  assert.match(json().message ?? '', /error: duplicate field "data\.ua", duplicate field "data\."$/);
});

test('patches: what the patch repeats, and what only the patched object shows', async () => {
  await door.ask('POST', `${SETS}?fieldValidation=Ignore`, { body: jsonBody('p') });
  const patch = (type: string, body: string, query = '') =>
    door.ask('PATCH', `${SETS}/p${query}`, { headers: { 'content-type': type }, body });
  const merge = '{"spec":{"replicas":1,"replicas":2,"nope":true}}';
  const reports = ['duplicate field "spec.replicas"', 'unknown field "spec.nope"'];
  const types = ['application/merge-patch+json', 'application/strategic-merge-patch+json'] as const;
  for (const type of types) {
    assert.deepEqual((await patch(type, merge)).warnings, reports);
    assert.deepEqual((await patch(type, merge, '?fieldValidation=Ignore')).warnings, []);
    const strict = await patch(type, merge, '?fieldValidation=Strict');
    assert.equal(strict.code, 422);
    const { message = '' } = strict.json();
    assert.ok(message.startsWith(' "" is invalid: patch: Invalid value: "'), message);
    assert.ok(message.endsWith(`": strict decoding error: ${reports.join(', ')}`), message);
  }
  const strategic = await patch(types[1], merge, '?fieldValidation=Strict');
  assert.match(strategic.json().message ?? '', /Invalid value: "map\[spec:map\[nope:true replicas:2\]\]"/);

  const operations =
    '[{"op":"replace","path":"/spec/replicas","value":3,"value":4,"why":1},{"op":"add","path":"/spec/nope","value":1}]';
  const jsonReports = [
    'json patch unknown field "[0].why"',
    'json patch duplicate field "[0].value"',
    'unknown field "spec.nope"',
  ];
  assert.deepEqual((await patch('application/json-patch+json', operations)).warnings, jsonReports);
  const wrong = await patch(types[0], '{"spec":{"replicas":"many"}}');
  assert.equal(wrong.code, 422);
  assert.match(
    wrong.json().message ?? '',
    /^ "" is invalid: patch: Invalid value: ".*": json: cannot unmarshal string into Go struct field StatefulSetSpec\.spec\.replicas of type int32$/,
  );
});

test('server-side apply tells of lines, too', async () => {
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: s\ndata:\n  a: x\n  a: y\n';
  const target = '/api/v1/namespaces/default/configmaps/s?fieldManager=me';
  const applied = await door.ask('PATCH', target, { headers, body });
  assert.deepEqual([applied.code, applied.warnings], [201, ['line 7: key "a" already set in map']]);
  const strict = await door.ask('PATCH', `${target}&fieldValidation=Strict`, { headers, body });
  assert.deepEqual(
    [strict.code, strict.json().message],
    [
      400,
      'error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "a" already set in map',
    ],
  );
});

test('options that mean nothing are refused by the kind of their verb', async () => {
  const MAPS = '/api/v1/namespaces/default/configmaps';
  const post = await door.ask('POST', `${MAPS}?fieldValidation=Loud&dryRun=None&fieldManager=a%07b`, {
    body: {},
  });
  assert.equal(
    post.json().message,
    'CreateOptions.meta.k8s.io "" is invalid: [fieldManager: Invalid value: "a\\u0007b": invalid character U+0007 (at position 1), dryRun: Unsupported value: ["None"]: supported values: "All", fieldValidation: Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"]',
  );
  const headers = { 'content-type': 'application/merge-patch+json' };
  const patch = await door.ask('PATCH', `${MAPS}/x?force=true`, { headers, body: {} });
  assert.equal(
    patch.json().message,
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  );
  const gone = await door.ask('DELETE', `${MAPS}/x?propagationPolicy=Soon&orphanDependents=true`);
  assert.equal(
    gone.json().message,
    'DeleteOptions.meta.k8s.io "" is invalid: [propagationPolicy: Invalid value: "Soon": orphanDependents and deletionPropagation cannot be both set, propagationPolicy: Unsupported value: "Soon": supported values: "Foreground", "Background", "Orphan", "nil"]',
  );
});
