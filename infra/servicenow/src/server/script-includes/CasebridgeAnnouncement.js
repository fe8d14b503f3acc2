/**
 * Remembers which incidents AWS has heard of: one row for each, for good. Such an incident is served after it has left
 * the scope, too, so that AWS learns of that, and is never told that it does not exist.
 */
var CasebridgeAnnouncement = Class.create();

CasebridgeAnnouncement.TABLE = 'x_casebridge_aws_announcement';

CasebridgeAnnouncement.prototype = {
    initialize: function () {},

    /** Whether AWS has heard of the incident. */
    isKnown: function (incidentId) {
        var row = new GlideRecord(CasebridgeAnnouncement.TABLE);
        row.addQuery('incident', incidentId);
        row.setLimit(1);
        row.query();
        return row.next();
    },

    /** Notes that AWS hears of the incident. */
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
        // Two at once meet the unique index: then the row is there.
        if (!inserted && !this.isKnown(incidentId)) {
            gs.error('casebridge: the announcement table refused a row: ' + row.getLastErrorMessage());
        }
    },

    type: 'CasebridgeAnnouncement'
};
