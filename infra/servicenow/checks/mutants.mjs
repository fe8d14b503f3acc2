// Lists small changes of the app's scripts, one JSON object a line: file, line, start, end, replacement.
//
// The mutators are those that found mistakes of this kind of code: operators, conditions, limits, texts of queries.
import { readFileSync } from 'node:fs'
import { parse } from 'acorn'

const OPERATORS = {
    '===': ['!=='], '!==': ['==='], '<': ['<=', '>='], '<=': ['<'], '>': ['>=', '<='], '>=': ['>'],
    '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '&&': ['||'], '||': ['&&'],
}

function changesOf(node, source) {
    const text = (part) => source.slice(part.start, part.end)
    switch (node.type) {
        case 'BinaryExpression':
        case 'LogicalExpression': {
            // Joining texts is no arithmetic.
            if (node.operator === '+' && /['"]/.test(text(node))) {
                return []
            }
            const others = OPERATORS[node.operator] ?? []
            return others.map((other) => [node, `${text(node.left)} ${other} ${text(node.right)}`])
        }
        case 'UnaryExpression':
            return node.operator === '!' ? [[node, text(node.argument)]] : []
        case 'IfStatement':
        case 'ConditionalExpression':
            return [[node.test, 'true'], [node.test, 'false']]
        case 'WhileStatement':
            return [[node.test, 'false']]
        case 'Literal':
            if (typeof node.value === 'number') {
                return [[node, String(node.value + 1)]]
            }
            return typeof node.value === 'boolean' ? [[node, String(!node.value)]] : []
        case 'ExpressionStatement':
            // A call for its effect alone: without it something must be missed.
            return node.expression.type === 'CallExpression' && node.expression.callee.type === 'MemberExpression'
                ? [[node, ';']]
                : []
        default:
            return []
    }
}

function walk(node, visit) {
    visit(node)
    for (const value of Object.values(node)) {
        for (const child of Array.isArray(value) ? value : [value]) {
            if (child && typeof child.type === 'string') {
                walk(child, visit)
            }
        }
    }
}

for (const file of process.argv.slice(2)) {
    const source = readFileSync(file, 'utf8')
    const program = parse(source, { ecmaVersion: 5, locations: true, allowReturnOutsideFunction: true })
    walk(program, (node) => {
        for (const [part, replacement] of changesOf(node, source)) {
            const { start, end } = part
            console.log(JSON.stringify({ file, line: part.loc.start.line, start, end, replacement }))
        }
    })
}
