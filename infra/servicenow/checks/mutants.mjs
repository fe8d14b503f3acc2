// Lists small changes of the app's scripts, one JSON object a line: file, line, start, end, replacement, what.
//
// The mutators are those that found mistakes of this kind of code: operators, conditions, limits, calls, queries.
import { readFileSync } from 'node:fs'
import { parse } from 'acorn'

const OPERATORS = {
    '===': ['!=='], '!==': ['==='], '<': ['<=', '>='], '<=': ['<'], '>': ['>=', '<='], '>=': ['>'],
    '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '&&': ['||'], '||': ['&&'],
}
// As the text of a query's operator: the second argument of addQuery and addOrCondition.
const QUERY_OPERATORS = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '!=': '=' }
const SHOWN_CHARACTERS = 80

/** The changes at a node: the part that is replaced, by what, and what that is called. */
function changesOf(node, parent, source) {
    const text = (part) => source.slice(part.start, part.end)
    const replaced = (part, replacement, within) =>
        [part, replacement, `${replacement} instead of ${text(part)} in ${text(within)}`]
    switch (node.type) {
        case 'BinaryExpression':
        case 'LogicalExpression':
            return operatorChanges(node, source)
        case 'UnaryExpression':
            return node.operator === '!' ? [[node, `(${text(node.argument)})`, `without the ! in ${text(node)}`]] : []
        case 'IfStatement':
        case 'ConditionalExpression':
            return ['true', 'false'].map((value) => [node.test, value, `${value} instead of ${text(node.test)}`])
        case 'WhileStatement':
            return [[node.test, 'false', `false instead of ${text(node.test)}`]]
        case 'Literal':
            if (typeof node.value === 'number') {
                return [replaced(node, String(node.value + 1), parent)]
            }
            if (typeof node.value === 'boolean') {
                return [replaced(node, String(!node.value), parent)]
            }
            return isQueryOperator(node, parent) ? [replaced(node, `'${QUERY_OPERATORS[node.value]}'`, parent)] : []
        case 'ExpressionStatement':
            // A call for its effect alone: without it something must be missed.
            return node.expression.type === 'CallExpression' && node.expression.callee.type === 'MemberExpression'
                ? [[node, ';', `without ${text(node)}`]]
                : []
        default:
            return []
    }
}

function operatorChanges(node, source) {
    const all = source.slice(node.start, node.end)
    // Joining texts is no arithmetic.
    if (node.operator === '+' && /['"]/.test(all)) {
        return []
    }
    const at = node.left.end + source.slice(node.left.end, node.right.start).indexOf(node.operator)
    const before = source.slice(node.start, at)
    const behind = source.slice(at + node.operator.length, node.end)
    // In brackets: the other operator may bind less tightly, or more.
    return (OPERATORS[node.operator] ?? []).map((other) =>
        [node, `((${before})${other}(${behind}))`, `${other} instead of ${node.operator} in ${all}`])
}

function isQueryOperator(node, parent) {
    const name = parent.type === 'CallExpression' && parent.callee.type === 'MemberExpression' && parent.callee.property.name
    const isOperator = parent.arguments?.length === 3 && parent.arguments[1] === node && node.value in QUERY_OPERATORS
    return isOperator && ['addQuery', 'addOrCondition'].includes(name)
}

/** The name of the function that a node brings, if it brings one. */
function nameOf(node) {
    const isFunction = (part) => part?.type === 'FunctionExpression'
    if (node.type === 'Property' && isFunction(node.value)) {
        return node.key.name
    }
    if (node.type === 'AssignmentExpression' && isFunction(node.right) && node.left.type === 'MemberExpression') {
        return node.left.property.name
    }
    return isFunction(node) && node.id ? node.id.name : undefined
}

function walk(node, parent, name, visit) {
    const within = nameOf(node) ?? name
    visit(node, parent, within)
    for (const value of Object.values(node)) {
        for (const child of Array.isArray(value) ? value : [value]) {
            if (child && typeof child.type === 'string') {
                walk(child, node, within, visit)
            }
        }
    }
}

/** In one line, and not longer than a line of a document takes. */
function shorten(text) {
    const line = text.replace(/\s+/g, ' ').replace(/;$/, '')
    return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line
}

for (const file of process.argv.slice(2)) {
    const source = readFileSync(file, 'utf8')
    const program = parse(source, { ecmaVersion: 5, locations: true, allowReturnOutsideFunction: true })
    walk(program, program, '', (node, parent, name) => {
        for (const [part, replacement, change] of changesOf(node, parent, source)) {
            const { start, end } = part
            const what = `${name ? `${name}: ` : ''}${shorten(change)}`
            console.log(JSON.stringify({ file, line: part.loc.start.line, start, end, replacement, what }))
        }
    })
}
