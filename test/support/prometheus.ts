/**
 * Reads Prometheus' text format, and refuses what is none (exposition format 0.0.4).
 *
 *     text   = *( help / type / sample )
 *     help   = "# HELP " name " " text LF
 *     type   = "# TYPE " name " " ( "counter" / "gauge" / "histogram" / "summary" / "untyped" ) LF
 *     sample = name [ "{" label *( "," label ) "}" ] " " value LF
 *     label  = name "=" DQUOTE text DQUOTE
 */
import assert from 'node:assert/strict'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Exposition {
  readonly types: ReadonlyMap<string, string>
  readonly samples: readonly Sample[]
  /** The value of one sample; fails when there is none or more than one. */
  value(name: string, labels: Readonly<Record<string, string>>): number
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf|-Inf|NaN)$/
const labelPair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/

export function readExposition(text: string): Exposition {
  assert.ok(text.endsWith('\n'), 'the last line ends with a line feed')
  const types = new Map<string, string>()
  const samples: Sample[] = []
  const seen = new Set<string>()

  for (const line of text.split('\n').slice(0, -1)) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line)
    if (type !== null) {
      assert.ok(!types.has(type[1]!), `${type[1]} is described once, before its samples`)
      types.set(type[1]!, type[2]!)
      continue
    }
    if (/^# HELP \S+ .+$/.test(line)) continue
    const sample = sampleLine.exec(line)
    assert.ok(sample !== null, `no line of the format: ${line}`)
    const name = sample[1]!
    const family = name.replace(/_(?:bucket|sum|count)$/, '')
    assert.ok(types.has(name) || types.get(family) === 'histogram', `${name} has no type`)
    assert.equal([...types.keys()].at(-1), types.has(name) ? name : family, `${name} stands with its family`)
    const key = `${name}{${sample[2] ?? ''}}`
    assert.ok(!seen.has(key), `${key} is there twice`)
    seen.add(key)
    samples.push({
      name,
      labels: labelsOf(sample[2] ?? ''),
      value: Number(sample[3]!.replace('Inf', 'Infinity')),
    })
  }

  return {
    types,
    samples,
    value(name, labels) {
      const found = samples.filter((each) => each.name === name && same(each.labels, labels))
      assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`)
      return found[0]!.value
    },
  }
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const pair = labelPair.exec(rest)
    assert.ok(pair !== null, `no label: ${rest}`)
    labels[pair[1]!] = pair[2]!
    rest = rest.slice(pair[0].length)
  }
  return labels
}

function same(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}
