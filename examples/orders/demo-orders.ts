// Writes examples/orders/orders.ndjson: 1,200 orders, the same ones every time.
//
//   node examples/orders/demo-orders.ts > examples/orders/orders.ndjson
//
// Most are good; some are out of stock (their article's name begins with NONE) and some break a rule of the contract, so that
// faults and refusals happen as in life.

const articles = [
  ['BOLT-M8', 0.35],
  ['NUT-M8', 0.12],
  ['DRILL-18V', 149.9],
  ['SAW-JIG', 89.5],
  ['TAPE-5M', 6.49],
  ['GLOVE-XL', 11.2],
  ['PAINT-RAL9010', 38.75],
  ['LADDER-3X9', 219],
  ['CABLE-NYM3X15', 0.89],
  ['LED-E27-8W', 4.99],
  ['VALVE-DN15', 23.4],
  ['PIPE-CU22', 9.85],
  ['SEAL-EPDM', 0.49],
  ['PUMP-250W', 312],
  ['FILTER-HEPA14', 54.3],
  ['TILE-60X60', 17.95],
  ['GROUT-5KG', 12.99],
  ['SENSOR-PT100', 41.6],
  ['FUSE-16A', 1.75],
  ['HINGE-90', 2.2],
] as const

const notes = [
  '',
  '',
  '',
  'Bitte an der Rampe 3 abgeben.',
  'Leave with the neighbour, please.',
  'Sonnez deux fois.',
  'Dejar en recepción, gracias.',
  'Закажите пропуск на проходной.',
  '配達前に電話してください。',
  '请放在门卫处。',
  '문 앞에 놓아 주세요.',
  'يرجى الاتصال قبل التسليم',
  'נא להשאיר אצל השומר',
  'Zostawić u sąsiada — dziękuję!',
  'Lämna vid grind ”B”.',
  'Kapıya bırakın lütfen.',
  'Fragile 🥚 — handle with care 🙏',
  'Line one\nline two\t(tab)',
  'Ship with 1/2" adapter \\ no pallet',
  'Αφήστε το στη ρεσεψιόν.',
  'कृपया गेट पर छोड़ दें',
  'ฝากไว้ที่ป้อมยาม',
]

const tags = [
  'express',
  'gift',
  'b2b',
  'fragile',
  'prepaid',
  'pickup',
  'überlänge',
  '冷蔵',
  'recurring',
  'export',
]

/** Numbers from 0 to 1, always the same ones (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed

  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const next = numbers(4711)
const oneOf = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))

function order(): Record<string, unknown> {
  const [sku, price] = oneOf(articles)
  const made: Record<string, unknown> = {
    sku: `${sku}-${whole(100, 999)}`,
    quantity: next() < 0.7 ? whole(1, 12) : whole(13, 1000),
    price: Math.round(price * (0.9 + next() * 0.2) * 100) / 100,
  }

  const note = oneOf(notes)
  if (note !== '') made['note'] = note
  if (next() < 0.6) made['tags'] = tags.filter(() => next() < 0.25)
  return made
}

/** What is wrong with an order on purpose. */
const mistakes: readonly ((order: Record<string, unknown>) => void)[] = [
  (wrong) => (wrong['quantity'] = 0),
  (wrong) => (wrong['quantity'] = 'two'),
  (wrong) => (wrong['sku'] = 'bolt m8'),
  (wrong) => delete wrong['sku'],
  (wrong) => (wrong['price'] = -1),
  (wrong) => (wrong['tags'] = ['a tag that is far longer than the thirty-two characters it may have']),
]

for (let index = 0; index < 1200; index++) {
  const made = order()
  if (index % 17 === 5) made['sku'] = `NONE-${whole(100, 999)}`
  else if (index % 41 === 9)
    (mistakes[(((index - 9) / 41) % mistakes.length) | 0] as (typeof mistakes)[0])(made)
  console.log(JSON.stringify(made))
}
