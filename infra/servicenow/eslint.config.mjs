// What runs on the instance is plain ES5: older instances know nothing else, and the platform evaluates scripts as text.
const platform = {
    Class: 'readonly',
    CertificateEncryption: 'readonly',
    GlideDateTime: 'readonly',
    GlideRecord: 'readonly',
    GlideSysAttachment: 'readonly',
    gs: 'readonly',
    sn_ws: 'readonly',
    sn_ws_err: 'readonly',
}

const app = {
    CasebridgeAccount: 'writable',
    CasebridgeAnnouncement: 'writable',
    CasebridgeCatalogue: 'writable',
    CasebridgeChanges: 'writable',
    CasebridgeClaim: 'writable',
    CasebridgeDelivery: 'writable',
    CasebridgeFile: 'writable',
    CasebridgeIncident: 'writable',
    CasebridgeInstallation: 'writable',
    CasebridgeLink: 'writable',
    CasebridgeOpening: 'writable',
    CasebridgeOutbox: 'writable',
    CasebridgeRequest: 'writable',
    CasebridgeSettings: 'writable',
    CasebridgeSharing: 'writable',
    CasebridgeTrail: 'writable',
    CasebridgeWebhook: 'writable',
}

const rules = {
    'block-scoped-var': 'error',
    curly: 'error',
    eqeqeq: 'error',
    'max-lines-per-function': ['error', { max: 70 }],
    'no-caller': 'error',
    'no-cond-assign': 'error',
    'no-constant-condition': 'error',
    'no-control-regex': 'error',
    'no-dupe-keys': 'error',
    'no-duplicate-case': 'error',
    'no-empty': 'error',
    'no-eval': 'error',
    'no-fallthrough': 'error',
    'no-func-assign': 'error',
    'no-implied-eval': 'error',
    'no-loop-func': 'error',
    'no-new-func': 'error',
    'no-shadow': 'error',
    'no-undef': 'error',
    'no-unreachable': 'error',
    'no-unused-vars': ['error', { vars: 'local', caughtErrors: 'none' }],
    'no-use-before-define': 'error',
    'no-with': 'error',
    'use-isnan': 'error',
    'valid-typeof': 'error',
}

const only = (files, globals) => ({
    files,
    languageOptions: { ecmaVersion: 5, sourceType: 'script', globals: { ...platform, ...app, ...globals } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules,
})

export default [
    { ignores: ['dist/**', 'target/**', 'src/fluent/**', 'types/**', 'eslint.config.mjs'] },
    only(['src/server/script-includes/**/*.js', 'src/server/jobs/**/*.js'], {}),
    only(['src/server/clone/**/*.js', 'src/server/ui-actions/**/*.js'], {}),
    only(['src/server/business-rules/**/*.js'], { current: 'readonly' }),
    only(['src/server/rest/**/*.js'], { request: 'readonly', response: 'readonly' }),
    only(['src/server/tests/**/*.js'], { assertEqual: 'readonly' }),
]
