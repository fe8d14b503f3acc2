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

    function uniqueDelivery() {
        var refused = false;
        for (var attempt = 0; attempt < 2; attempt += 1) {
            var row = new GlideRecord('x_casebridge_aws_delivery');
            row.initialize();
            row.setValue('external_id', 'casebridge installation check');
            try {
                refused = !row.insert();
            } catch (problem) {
                refused = true;
            }
        }
        assertEqual({ name: 'a second delivery of one external_id is refused', shouldbe: true, value: refused });
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
        var now = new GlideDateTime().getValue();
        var shown = new CasebridgeIncident().show(incident, now, '', '');
        var entries = shown.entries;
        // Not a failure: without the audit trail casebridge goes by times.
        gs.info('casebridge: the audit trail ' + (entries[0].mod_count === null ? 'can not' : 'can') + ' be read');
        assertEqual({ name: 'comments in the snapshot', shouldbe: 1, value: entries.length });
        assertEqual({ name: 'text', shouldbe: 'for the customer', value: entries[0].text });
        assertEqual({ name: 'author', shouldbe: gs.getUserName(), value: entries[0].created_by });
    }

    signature();
    uniqueDelivery();
    snapshot();
})();
