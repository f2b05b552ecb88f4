// A contract for tests of mounting: a body in, a body out, streams both ways, and an error.

import { CallError, call, contract, implement, stream } from 'trunkline'
import * as z from 'zod'

const Note = z.object({ text: z.string(), tags: z.array(z.string()).default([]) })

export const Notes = contract('test.notes.v1', {
  add: call({ input: Note, output: Note, rest: { route: 'POST /notes', status: 201 } }),
  get: call({ input: z.object({ id: z.string() }), output: Note, rest: 'GET /notes/{id}' }),
  watch: call({ output: stream(Note), rest: 'GET /watch' }),
  join: call({ input: stream(Note), output: Note, rest: 'POST /join' }),
})

export const notes = implement(Notes, {
  add: (note) => note,
  get({ id }) {
    if (id === 'none') throw new CallError('not_found', 'there is no such note')
    return { text: id }
  },
  async *watch() {
    for (const text of ['a', 'b', 'c']) yield { text }
  },
  async join(all) {
    let text = ''
    for await (const note of all) text += note.text
    return { text }
  },
})
