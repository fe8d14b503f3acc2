/**
 * Lists the incidents that have a case, should have one, or that AWS knows of, in the order of their last update. AWS
 * polls this list to find changes that no webhook reported.
 */
var CasebridgeChanges = Class.create();

CasebridgeChanges.LIMIT_DEFAULT = 100;
CasebridgeChanges.LIMIT_MAXIMUM = 200;
CasebridgeChanges.ACCOUNTS_LIMIT = 1000;

CasebridgeChanges.prototype = {
    initialize: function () {
        this.groups = this._groups();
    },

    /** Returns the incidents after (since, after), or from `since` on if `after` is empty, at most `limit`. */
    list: function (since, after, limit) {
        // Read the clock first: what changes while this runs is then later than `now`.
        var now = String(new GlideDateTime().getValue());
        // One more than asked for, to find out whether there are more.
        var wanted = limit + 1;
        var found = this._inScopeOrLinked(since, after, wanted).concat(this._announced(since, after, wanted));
        found = this._inOrder(found);
        return { now: now, incidents: found.slice(0, limit), more: found.length > limit };
    },

    _inScopeOrLinked: function (since, after, wanted) {
        var incident = new GlideRecord('incident');
        // Linked, or in scope, as a conjunction of disjunctions: in an encoded query OR joins single conditions only.
        var linked = CasebridgeIncident.PREFIX + 'case_idISNOTEMPTY';
        var conditions = CasebridgeCatalogue.CHOICES.map(function (choice) {
            return (
                linked + '^OR' + CasebridgeIncident.PREFIX + choice.code + 'ISNOTEMPTY' +
                '^OR' + CasebridgeIncident.PREFIX + choice.reference + 'ISNOTEMPTY'
            );
        });
        conditions.push(linked + (this.groups.length > 0 ? '^ORassignment_groupIN' + this.groups.join(',') : ''));
        incident.addEncodedQuery(conditions.join('^'));
        this._narrow(incident, '', since, after, wanted);
        var found = [];
        while (incident.next()) {
            found.push(this._change(incident));
        }
        return found;
    },

    // Returns the incidents that AWS knows of, also those that have left the scope, so that AWS learns of that.
    _announced: function (since, after, wanted) {
        var row = new GlideRecord(CasebridgeAnnouncement.TABLE);
        this._narrow(row, 'incident.', since, after, wanted);
        var found = [];
        while (row.next()) {
            var incident = new GlideRecord('incident');
            if (incident.get(String(row.getValue('incident')))) {
                found.push(this._change(incident));
            }
        }
        return found;
    },

    _narrow: function (record, path, since, after, wanted) {
        record.addQuery(path + 'sys_updated_on', '>=', since);
        if (after !== '') {
            record.addQuery(path + 'sys_updated_on', '>', since).addOrCondition(path + 'sys_id', '>', after);
        }
        record.orderBy(path + 'sys_updated_on');
        record.orderBy(path + 'sys_id');
        record.setLimit(wanted);
        record.query();
    },

    _change: function (incident) {
        return {
            sys_id: String(incident.getUniqueValue()),
            sys_mod_count: parseInt(incident.getValue('sys_mod_count') || '0', 10),
            sys_updated_on: String(incident.getValue('sys_updated_on'))
        };
    },

    // Returns the changes sorted by time and sys_id, each incident once.
    _inOrder: function (found) {
        var key = function (change) {
            return change.sys_updated_on + ' ' + change.sys_id;
        };
        found.sort(function (left, right) {
            return key(left) < key(right) ? -1 : 1;
        });
        return found.filter(function (change, index) {
            return index === 0 || found[index - 1].sys_id !== change.sys_id;
        });
    },

    _groups: function () {
        var account = new GlideRecord('x_casebridge_aws_account');
        account.addQuery('active', true);
        account.setLimit(CasebridgeChanges.ACCOUNTS_LIMIT);
        account.query();
        var groups = [];
        while (account.next()) {
            var group = String(account.getValue('assignment_group') || '');
            // Any other text could change the meaning of the query.
            if (CasebridgeRequest.SYS_ID.test(group)) {
                groups.push(group);
            }
        }
        return groups;
    },

    type: 'CasebridgeChanges'
};
