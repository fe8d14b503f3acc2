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
        // In memory alone: there is one record of settings, and it is the administrator's.
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

    function snapshot() {
        // Journal fields are set by assignment, which the published types do not know.
        /** @type {any} */
        var incident = new GlideRecord('incident');
        incident.addQuery('short_description', 'casebridge installation check');
        incident.orderByDesc('sys_created_on');
        incident.setLimit(1);
        incident.query();
        assertEqual({ name: 'incident', shouldbe: true, value: incident.next() });
        incident.work_notes = 'for us alone';
        incident.comments = 'for the customer';
        incident.update();
        var now = String(new GlideDateTime().getValue());
        var shown = new CasebridgeIncident().show(incident, 'support_case', now, '', '');
        var entries = shown.entries;
        // Not a failure: without the audit trail casebridge goes by times.
        gs.info('casebridge: the audit trail ' + (entries[0].mod_count === null ? 'can not' : 'can') + ' be read');
        assertEqual({ name: 'comments in the snapshot', shouldbe: 1, value: entries.length });
        assertEqual({ name: 'text', shouldbe: 'for the customer', value: entries[0].text });
        assertEqual({ name: 'author', shouldbe: String(gs.getUserName()), value: entries[0].created_by });
    }

    signature();
    secret();
    snapshot();
})();
