/**
 * Lists the incidents that have a case or should have one, in the order of their last update: the sweep that finds what
 * no webhook told.
 */
var CasebridgeChanges = Class.create();

CasebridgeChanges.LIMIT_DEFAULT = 100;
CasebridgeChanges.LIMIT_MAXIMUM = 200;
CasebridgeChanges.ACCOUNTS_LIMIT = 1000;

CasebridgeChanges.prototype = {
    initialize: function () {
        this.groups = this._groups();
    },

    /** The incidents after (since, after), or from `since` on if `after` is empty, at most `limit`. */
    list: function (since, after, limit) {
        // Taken first: what changes while this runs is after it.
        var now = new GlideDateTime().getValue();
        // One more than asked for tells whether there are more.
        var wanted = limit + 1;
        var found = [];
        if (after !== '') {
            this._collect(found, wanted, function (incident) {
                incident.addQuery('sys_updated_on', '>=', since);
                incident.addQuery('sys_updated_on', '<=', since);
                incident.addQuery('sys_id', '>', after);
            });
        }
        this._collect(found, wanted, function (incident) {
            incident.addQuery('sys_updated_on', after === '' ? '>=' : '>', since);
        });
        return { now: now, incidents: found.slice(0, limit), more: found.length > limit };
    },

    _collect: function (found, wanted, narrow) {
        if (found.length >= wanted) {
            return;
        }
        var incident = new GlideRecord('incident');
        // Linked, or in scope: written as a conjunction, since OR joins single conditions only.
        var linked = CasebridgeIncident.PREFIX + 'case_idISNOTEMPTY';
        incident.addEncodedQuery(
            linked + '^OR' + CasebridgeIncident.PREFIX + 'service_codeISNOTEMPTY' +
            '^' + linked + '^OR' + CasebridgeIncident.PREFIX + 'category_codeISNOTEMPTY' +
            '^' + linked + (this.groups.length > 0 ? '^ORassignment_groupIN' + this.groups.join(',') : '')
        );
        narrow(incident);
        incident.orderBy('sys_updated_on');
        incident.orderBy('sys_id');
        incident.setLimit(wanted - found.length);
        incident.query();
        while (incident.next()) {
            found.push({
                sys_id: incident.getUniqueValue(),
                sys_mod_count: parseInt(incident.getValue('sys_mod_count') || '0', 10),
                sys_updated_on: String(incident.getValue('sys_updated_on'))
            });
        }
    },

    _groups: function () {
        var account = new GlideRecord('x_casebridge_aws_account');
        account.addQuery('active', true);
        account.setLimit(CasebridgeChanges.ACCOUNTS_LIMIT);
        account.query();
        var groups = [];
        while (account.next()) {
            var group = account.getValue('assignment_group');
            if (group) {
                groups.push(String(group));
            }
        }
        return groups;
    },

    type: 'CasebridgeChanges'
};
