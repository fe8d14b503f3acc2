(function () {
    function signature() {
        // The key is 32 bytes of the letter k; the expected text was computed with OpenSSL.
        assertEqual({
            name: 'signature',
            shouldbe: 'eqEradDQyJwjzx3o0+GZJuXoqg0ilMf1FVbgDmFiik4=',
            value: new CertificateEncryption().generateMac(
                'a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=',
                'HmacSHA256',
                'id.1.{}'
            )
        });
    }

    function secret() {
        // In memory only: the one record of settings belongs to the administrator.
        var settings = new GlideRecord(CasebridgeSettings.TABLE);
        settings.initialize();
        var element = settings.getElement('webhook_secret');
        element.setDisplayValue('whsec_a secret');
        assertEqual({
            name: 'a secret that is read as it was set',
            shouldbe: 'whsec_a secret',
            value: String(element.getDecryptedValue())
        });
    }

    // Returns the incident that the test has inserted.
    function inserted() {
        var incident = new GlideRecord('incident');
        incident.addQuery('short_description', 'casebridge installation check');
        incident.orderByDesc('sys_created_on');
        incident.setLimit(1);
        incident.query();
        assertEqual({ name: 'incident', shouldbe: true, value: incident.next() });
        return incident;
    }

    function snapshot() {
        // Journal fields are set by assignment, which the published types do not allow.
        /** @type {any} */
        var incident = inserted();
        // Where comments need a prefix, only one with it is shown.
        var prefix = CasebridgeSharing.property(CasebridgeSharing.PREFIX_PROPERTIES.comments);
        incident.work_notes = 'for us alone';
        incident.comments = prefix + 'for the customer';
        incident.update();
        var now = String(new GlideDateTime().getValue());
        var shown = new CasebridgeIncident().show(incident, 'support_case', now, '', '');
        var entries = shown.entries;
        // This is not a failure: without the audit trail casebridge uses times.
        gs.info('casebridge: the audit trail ' + (entries[0].mod_count === null ? 'can not' : 'can') + ' be read');
        assertEqual({ name: 'comments in the snapshot', shouldbe: 1, value: entries.length });
        assertEqual({ name: 'text', shouldbe: 'for the customer', value: entries[0].text });
        assertEqual({ name: 'author', shouldbe: String(gs.getUserName()), value: entries[0].created_by });
    }

    // Checks that the app may write, read and delete files of incidents.
    function file() {
        var incident = inserted();
        var attachments = new GlideSysAttachment();
        var written = String(attachments.write(incident, 'casebridge.txt', 'text/plain', 'a file'));
        var now = String(new GlideDateTime().getValue());
        var shown = new CasebridgeIncident().show(incident, 'support_case', now, '', '').attachments;
        assertEqual({ name: 'files in the snapshot', shouldbe: 1, value: shown.length });
        assertEqual({ name: 'name of the file', shouldbe: 'casebridge.txt', value: shown[0].file_name });
        assertEqual({ name: 'size of the file', shouldbe: 6, value: shown[0].size_bytes });
        assertEqual({ name: 'bytes of the file', shouldbe: true, value: !!attachments.getContentStream(written) });
        attachments.deleteAttachment(written);
        assertEqual({ name: 'file that was deleted', shouldbe: false, value: new GlideRecord(CasebridgeFile.TABLE).get(written) });
    }

    // Checks that no customer's rule, data policy or query rule keeps the app from its own table.
    function link() {
        // No link has this kind. The rows are deleted below, since they stay when the test's incident is rolled back.
        var kind = 'installation_check';
        var incidentId = String(inserted().getUniqueValue());
        var links = new CasebridgeLink();
        var row = new GlideRecord(CasebridgeLink.TABLE);
        ['pending', 'in_sync'].forEach(function (status) {
            assertEqual({
                name: 'why a link can not say ' + status,
                shouldbe: '',
                value: links.note(incidentId, kind, { sync_status: status, last_error: '' })
            });
            assertEqual({ name: 'what it says', shouldbe: status, value: links.worst(incidentId).sync_status });
        });
        row.addQuery('kind', kind);
        row.query();
        while (row.next()) {
            row.deleteRecord();
        }
    }

    signature();
    secret();
    snapshot();
    file();
    link();
})();
