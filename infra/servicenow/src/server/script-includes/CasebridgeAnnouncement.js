/**
 * Remembers which incidents AWS knows of: one row for each, which is never deleted. The app serves such an incident
 * even after it has left the scope, so that AWS learns of that and does not take the incident for deleted.
 */
var CasebridgeAnnouncement = Class.create();

CasebridgeAnnouncement.TABLE = 'x_casebridge_aws_announcement';

CasebridgeAnnouncement.prototype = {
    initialize: function () {},

    /** Whether AWS knows of the incident. */
    isKnown: function (incidentId) {
        var row = new GlideRecord(CasebridgeAnnouncement.TABLE);
        row.addQuery('incident', incidentId);
        row.setLimit(1);
        row.query();
        return row.next();
    },

    /** Records that AWS knows of the incident. */
    note: function (incidentId) {
        if (this.isKnown(incidentId)) {
            return;
        }
        var row = new GlideRecord(CasebridgeAnnouncement.TABLE);
        row.initialize();
        row.setValue('incident', incidentId);
        var inserted = null;
        try {
            inserted = row.insert();
        } catch (problem) {
            inserted = null;
        }
        // If two requests insert the row at once, the unique index refuses one, and the row exists.
        if (!inserted && !this.isKnown(incidentId)) {
            gs.error('casebridge: the announcement table refused a row: ' + row.getLastErrorMessage());
        }
    },

    type: 'CasebridgeAnnouncement'
};
