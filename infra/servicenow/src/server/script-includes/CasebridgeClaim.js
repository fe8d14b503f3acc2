/**
 * Keeps what comes from AWS from being written twice: one row for each message and each file, with a unique external_id.
 *
 * The platform has no transaction over two records, so each of them takes three steps: insert the row with the state
 * "claimed", write, set the row to "done". A repeat that finds a young claim is refused with 409. A repeat that finds an
 * old one looks for what the first attempt wrote before it writes.
 */
var CasebridgeClaim = Class.create();

CasebridgeClaim.TABLE = 'x_casebridge_aws_delivery';
/**
 * How long a claim is young if the property is not set: the platform ends a REST call after 60 seconds, so no request
 * can still be writing then.
 */
CasebridgeClaim.SECONDS = 60;

/**
 * Narrows a query to the deliveries to an incident. A row holds the incident as a text and as a reference. The platform
 * empties the reference when the incident is deleted and does not restore it with the incident, and scripts that merge
 * incidents change it. A row of a former version has the reference only.
 */
CasebridgeClaim.narrow = function (row, incidentId) {
    row.addQuery('incident_id', incidentId).addOrCondition('incident', incidentId);
    row.addQuery('incident_id', incidentId).addOrCondition('incident_id', '=', '');
};

CasebridgeClaim.prototype = {
    /** `calls` is the request. Errors that are raised here end it. */
    initialize: function (calls) {
        this.calls = calls;
    },

    /** Returns the row of this external_id, or null. */
    find: function (externalId) {
        var row = new GlideRecord(CasebridgeClaim.TABLE);
        row.addQuery('external_id', externalId);
        row.setLimit(1);
        row.query();
        return row.next() ? row : null;
    },

    /**
     * Whether the row is a delivery to the incident. A row that names no incident is from a former version, and its
     * incident was deleted and restored. An external_id belongs to one link, so that row is a delivery to this incident,
     * which is then entered in the row.
     */
    isOf: function (row, incidentId) {
        var owner = CasebridgeIncident.text(row, 'incident_id');
        if (owner !== '') {
            return owner === incidentId;
        }
        owner = CasebridgeIncident.text(row, 'incident');
        if (owner === '') {
            row.setValue('incident', incidentId);
            row.setValue('incident_id', incidentId);
            row.update();
        }
        return owner === '' || owner === incidentId;
    },

    /** Whether the row's message or file was written. */
    isDone: function (row) {
        return String(row.getValue('state')) === 'done';
    },

    /** Ends the request with 409 if another request may be writing what the row claims. */
    refuseIfYoung: function (row) {
        if (String(row.getValue('claimed_at')) > this.youngSince()) {
            this._conflict(String(row.getValue('external_id')));
        }
    },

    /** Returns the moment after which a claim is young. */
    youngSince: function () {
        var seconds = parseInt(gs.getProperty('x_casebridge_aws.claim_seconds', ''), 10);
        if (!(seconds >= 0)) {
            seconds = CasebridgeClaim.SECONDS;
        }
        var oldest = new GlideDateTime();
        oldest.addSeconds(-seconds);
        return String(oldest.getValue());
    },

    /** Claims this external_id for the incident. Returns the new row. */
    take: function (incidentId, externalId) {
        var row = new GlideRecord(CasebridgeClaim.TABLE);
        row.initialize();
        row.setValue('external_id', externalId);
        row.setValue('incident', incidentId);
        row.setValue('incident_id', incidentId);
        row.setValue('state', 'claimed');
        row.setValue('claimed_at', new GlideDateTime().getValue());
        var inserted = null;
        try {
            inserted = row.insert();
        } catch (problem) {
            inserted = null;
        }
        if (!inserted) {
            if (this.find(externalId) !== null) {
                this._conflict(externalId);
            }
            gs.error('casebridge: the delivery table refused a row: ' + row.getLastErrorMessage());
            this.calls.fail(500, 'Operation failed', 'The delivery of ' + externalId + ' was not recorded.');
        }
        return row;
    },

    /** Records what was written for the row: the sys_id of a journal entry or of an attachment. */
    finish: function (row, written) {
        row.setValue('state', 'done');
        row.setValue('journal', written);
        row.update();
    },

    /** Whether a delivery names this journal entry or attachment. */
    isNamed: function (sysId) {
        var row = new GlideRecord(CasebridgeClaim.TABLE);
        row.addQuery('journal', sysId);
        row.setLimit(1);
        row.query();
        return row.next();
    },

    _conflict: function (externalId) {
        this.calls.fail(409, 'A message is being written by another request', externalId);
    },

    type: 'CasebridgeClaim'
};
