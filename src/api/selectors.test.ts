import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from './errors.ts';
import { parseFieldSelector, parseLabelSelector, selectorOf, validateLabelSelector } from './selectors.ts';

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.code, 400);
    return error.message;
  }
  return assert.fail('not refused');
};

test('the text of a label selector is decided as upstream does', () => {
  const web = { app: 'web', tier: 'front', 'k8s.io/x': '' };
  for (const text of [
    '',
    'app=web',
    'app==web,tier!=back',
    'app in (web, db)',
    'app notin (db),missing notin (a)',
    'app,!missing',
    '! missing',
    'k8s.io/x=',
    'k8s.io/x in ()',
    'k8s.io/x in (a,)',
    'app in (in,web)',
    'missing!=x',
  ]) {
    assert.equal(parseLabelSelector(text).matches(web), true, text);
  }
  for (const text of [
    'app=db',
    'app!=web',
    'missing',
    '!app',
    'app notin (web)',
    'missing in (a)',
    'app>1',
  ]) {
    assert.equal(parseLabelSelector(text).matches(web), false, text);
  }
  assert.equal(parseLabelSelector('n>3').matches({ n: '10' }), true);
  assert.equal(parseLabelSelector('n<3').matches({ n: '10' }), false);
  assert.equal(parseLabelSelector('a').matches(undefined), false);
  assert.equal(parseLabelSelector('constructor').matches({}), false);
});

test('a selector is written sorted, as upstream writes it', () => {
  assert.equal(parseLabelSelector('z=1,b notin (y,x),!c,d,e!=2').toString(), 'b notin (x,y),!c,d,e!=2,z=1');
  assert.equal(selectorOf({ matchLabels: { b: '2', a: '1' } }).toString(), 'a=1,b=2');
  assert.equal(parseLabelSelector('').empty, true);
});

test('bad text is refused with upstream’s reason', () => {
  assert.equal(
    refusal(() => parseLabelSelector(',')),
    "found ',', expected: !, identifier, or 'end of string'",
  );
  assert.equal(
    refusal(() => parseLabelSelector('a,')),
    "found '', expected: identifier after ','",
  );
  assert.equal(
    refusal(() => parseLabelSelector('a b')),
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  );
  assert.match(
    refusal(() => parseLabelSelector('a in b')),
    /found 'b' expected: '\('$/,
  );
  assert.match(
    refusal(() => parseLabelSelector('a in (b')),
    /expected: ',' or '\)'$/,
  );
  assert.match(
    refusal(() => parseLabelSelector('-a=b')),
    /^unable to parse requirement: <nil>: Invalid value: "-a"/,
  );
  assert.match(
    refusal(() => parseLabelSelector('a=b_')),
    /values\[0\]\[a\]: Invalid value: "b_"/,
  );
  assert.match(
    refusal(() => parseLabelSelector('a>b')),
    /the value must be an integer$/,
  );
});

test('a selector of an object: absent matches nothing, empty matches everything', () => {
  assert.equal(selectorOf(undefined).matches({ a: 'b' }), false);
  assert.equal(selectorOf({}).matches(undefined), true);
  const selector = selectorOf({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(selector.matches({ app: 'web', tier: 'front' }), true);
  assert.equal(selector.matches({ app: 'web', tier: 'front', old: '' }), false);
  assert.equal(selectorOf({ matchExpressions: [{ key: 'a', operator: 'Odd' }] }).matches({ a: '' }), false);
});

test('validation names the field and the reason', () => {
  const errors = validateLabelSelector(
    {
      matchLabels: { 'a b': 'c' },
      matchExpressions: [
        { key: 'a', operator: 'In', values: [] },
        { key: 'a', operator: 'Exists', values: ['x'] },
        { key: 'a', operator: 'Is', values: ['-'] },
      ],
    },
    'spec.selector',
  );
  assert.deepEqual(
    errors.map(({ type, field }) => [type, field]),
    [
      ['FieldValueInvalid', 'spec.selector.matchLabels'],
      ['FieldValueRequired', 'spec.selector.matchExpressions[0].values'],
      ['FieldValueForbidden', 'spec.selector.matchExpressions[1].values'],
      ['FieldValueInvalid', 'spec.selector.matchExpressions[2].operator'],
      ['FieldValueInvalid', 'spec.selector.matchExpressions[2].values[0]'],
    ],
  );
  assert.deepEqual(validateLabelSelector(undefined, 'x'), []);
});

test('field selectors', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Running,x==y\\,z'), [
    { path: 'metadata.name', operator: '=', value: 'a' },
    { path: 'status.phase', operator: '!=', value: 'Running' },
    { path: 'x', operator: '=', value: 'y,z' },
  ]);
  assert.deepEqual(parseFieldSelector(''), []);
  assert.deepEqual(parseFieldSelector('spec.nodeName='), [
    { path: 'spec.nodeName', operator: '=', value: '' },
  ]);
  assert.equal(
    refusal(() => parseFieldSelector('a')),
    "invalid selector: 'a'; can't understand 'a'",
  );
  assert.match(
    refusal(() => parseFieldSelector('a=b\\c')),
    /invalid escape sequence: \\c$/,
  );
  assert.match(
    refusal(() => parseFieldSelector('a=b=c')),
    /unescaped character in value: 61$/,
  );
});
