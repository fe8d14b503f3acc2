/**
 * Lists the incidents that have a case, should have one, or that AWS knows of, in the order of their last update, and
 * once more for each file, in the order of the files: a file updates no incident. AWS polls this list to find changes that
 * no webhook reported.
 */
var CasebridgeChanges = Class.create();

/** How many incidents one page lists if the request does not say it: each takes about 100 bytes of the answer. */
CasebridgeChanges.LIMIT_DEFAULT = 100;
/**
 * The most incidents of one page. casebridge asks for as many: each of them is read, and all within the 15 seconds
 * that it waits.
 */
CasebridgeChanges.LIMIT_MAXIMUM = 200;
/**
 * The most active accounts whose groups are in scope. Each group takes 33 characters of the query, so these come to 33
 * kB.
 */
CasebridgeChanges.ACCOUNTS_LIMIT = 1000;
/**
 * The most files that one page looks at, of all incidents, visible to AWS or not: their rows and incidents are read in
 * a few of the 15 seconds that casebridge waits. If more arrive between two polls, only the webhooks report the rest.
 */
CasebridgeChanges.FILES_LIMIT = 1000;

CasebridgeChanges.prototype = {
    initialize: function () {
        this.announcements = new CasebridgeAnnouncement();
        this.groups = this._groups();
        this.incidents = new CasebridgeIncident();
        this.installation = new CasebridgeInstallation();
    },

    /** Returns the incidents after (since, after), or from `since` on if `after` is empty, at most `limit`. */
    list: function (since, after, limit) {
        // Read the clock first: what changes while this runs is then later than `now`.
        var now = String(new GlideDateTime().getValue());
        // One more than asked for, to find out whether there are more.
        var wanted = limit + 1;
        var found = this._inScopeOrLinked(since, after, wanted).concat(
            this._announced(since, after, wanted),
            this._attached(since, after, wanted)
        );
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
        this._narrow(incident, 'sys_updated_on', 'sys_id', since, after, wanted);
        var found = [];
        while (incident.next()) {
            found.push(this._change(incident));
        }
        return found;
    },

    // Returns the incidents that AWS knows of, also those that have left the scope, so that AWS learns of that.
    _announced: function (since, after, wanted) {
        var row = new GlideRecord(CasebridgeAnnouncement.TABLE);
        this._narrow(row, 'incident.sys_updated_on', 'incident.sys_id', since, after, wanted);
        var found = [];
        while (row.next()) {
            var incident = new GlideRecord('incident');
            if (incident.get(String(row.getValue('incident')))) {
                found.push(this._change(incident));
            }
        }
        return found;
    },

    // Returns the incidents that got a file, with the time of the file. The files that AWS has written are left out.
    _attached: function (since, after, wanted) {
        var file = new GlideRecord(CasebridgeFile.TABLE);
        file.addQuery('table_name', 'incident');
        file.addQuery('sys_created_by', '!=', this.installation.integrationUserName());
        this._narrow(file, 'sys_created_on', 'table_sys_id', since, after, CasebridgeChanges.FILES_LIMIT);
        var found = [];
        while (found.length < wanted && file.next()) {
            var change = this._attachedChange(file);
            // Several files of one incident and second are one change.
            if (change !== null && !this._isSame(change, found[found.length - 1])) {
                found.push(change);
            }
        }
        return found;
    },

    _attachedChange: function (file) {
        var incident = CasebridgeFile.incidentOf(file, this.incidents);
        if (incident === null || !this._isListed(incident)) {
            return null;
        }
        var change = this._change(incident);
        change.sys_updated_on = CasebridgeIncident.text(file, 'sys_created_on');
        change.attached = true;
        return change;
    },

    _isListed: function (incident) {
        return (
            this.incidents.isLinked(incident) ||
            this.incidents.isInScope(incident) ||
            this.announcements.isKnown(incident.getUniqueValue())
        );
    },

    // Queries for the records at or behind the point (since, after). `time` and `incident` are the columns of the point.
    _narrow: function (record, time, incident, since, after, wanted) {
        record.addQuery(time, '>=', since);
        if (after !== '') {
            record.addQuery(time, '>', since).addOrCondition(incident, '>', after);
        }
        record.orderBy(time);
        record.orderBy(incident);
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

    // Returns the changes sorted by time and sys_id, each incident once for each time. Of two with one time, that of a
    // file stays, since AWS takes it for a change whatever the update count.
    _inOrder: function (found) {
        var key = function (change) {
            return change.sys_updated_on + ' ' + change.sys_id + (change.attached ? ' 0' : ' 1');
        };
        found.sort(function (left, right) {
            return key(left) < key(right) ? -1 : 1;
        });
        return found.filter(function (change, index) {
            return !this._isSame(change, found[index - 1]);
        }, this);
    },

    _isSame: function (change, other) {
        return (
            other !== undefined && other.sys_id === change.sys_id && other.sys_updated_on === change.sys_updated_on
        );
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
