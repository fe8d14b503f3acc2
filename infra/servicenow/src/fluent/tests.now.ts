import { Test } from '@servicenow/sdk/core'
import '@servicenow/sdk/global'

// Checks on the instance what no test outside it can: that the platform behaves as the app expects. ATF removes what
// the test inserted.
Test(
    {
        $id: Now.ID['test-installation'],
        name: 'casebridge installation',
        description:
            'Checks what casebridge relies on: the signature equals a known one, the webhook secret can be decrypted, a snapshot shows a comment with its author and no private work note, a file can be written, read and deleted, the table of links takes a row and its changes.',
        active: true,
        failOnServerError: true,
    },
    (atf) => {
        atf.server.recordInsert({
            $id: Now.ID['test-installation-incident'],
            table: 'incident',
            fieldValues: { short_description: 'casebridge installation check' },
            assert: 'record_successfully_inserted',
            enforceSecurity: false,
        })
        atf.server.runServerSideScript({
            $id: Now.ID['test-installation-script'],
            script: Now.include('../server/tests/installation.js'),
        })
    }
)
