// Takes out of the built package what the build says of tables that are not the app's. For a table that the app only adds
// columns to, the build writes default settings of the whole table; an installation could apply them to the customer's.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { scope } = JSON.parse(readFileSync('now.config.json', 'utf8'))
const DICTIONARY = join('dist', 'app', 'dictionary')
// The element of the table itself, around those of its columns.
const TABLE = /(<database>\s*)<element name="([^"]*)" type="collection"[^>]*>/

for (const file of readdirSync(DICTIONARY)) {
    const path = join(DICTIONARY, file)
    const source = readFileSync(path, 'utf8')
    const stripped = source.replace(TABLE, (all, before, table) =>
        table.startsWith(`${scope}_`) ? all : `${before}<element name="${table}" type="collection">`)
    if (stripped !== source) {
        writeFileSync(path, stripped)
    }
}
