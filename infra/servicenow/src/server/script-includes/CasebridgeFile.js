/**
 * Reads the bytes of an incident's files, and writes files from AWS to it, each once. Files are streamed: no script holds
 * one. A repeat of a write looks for the file among the incident's attachments before it writes.
 */
var CasebridgeFile = Class.create();

CasebridgeFile.TABLE = 'sys_attachment';
/** The external_id of a file: that of its communication, and its place in it. */
CasebridgeFile.EXTERNAL_ID = /^[0-9a-f]{16}--?[0-9]{1,12}-[0-9a-f]{16}-[0-9]{1,10}a?m?-f[0-9]{1,3}$/;
/**
 * A name without slashes, backslashes and control characters. Where all of its 100 characters are surrogate pairs, it has
 * 200 units here.
 */
CasebridgeFile.NAME = /^[\u0020-\u002e\u0030-\u005b\u005d-\u007e\u0080-\uffff]{1,200}$/;
/** A MIME type. */
CasebridgeFile.CONTENT_TYPE = /^[\u0020-\u007e]{1,100}$/;
/** The largest file that AWS Support takes, in bytes. */
CasebridgeFile.MAXIMUM_BYTES = 157286400;
/** The state of a file in which a scan has found something. */
CasebridgeFile.INFECTED = 'not_available';
CasebridgeFile.REFUSAL = 'The instance did not take the file and gave no reason.';

/** Whether an external_id is that of a file. Others are those of messages. */
CasebridgeFile.isNameOfFile = function (externalId) {
    return CasebridgeFile.EXTERNAL_ID.test(externalId);
};

/**
 * Narrows a query to the files of an incident. Attachments of another table with the incident's sys_id, as `ZZ_YYincident`
 * for the images in its columns, are not files that people have attached.
 */
CasebridgeFile.narrow = function (attachment, incidentId) {
    attachment.addQuery('table_name', 'incident');
    attachment.addQuery('table_sys_id', incidentId);
};

/** Returns the incident that the file is attached to, or null. `incidents` finds it. */
CasebridgeFile.incidentOf = function (attachment, incidents) {
    var sysId = CasebridgeIncident.text(attachment, 'table_sys_id');
    return CasebridgeRequest.SYS_ID.test(sysId) ? incidents.find(sysId) : null;
};

/** Returns the size of an attachment in bytes. */
CasebridgeFile.size = function (attachment) {
    return parseInt(CasebridgeIncident.text(attachment, 'size_bytes') || '0', 10);
};

CasebridgeFile.prototype = {
    /** `calls` is the request. Errors that are raised here end it. */
    initialize: function (calls) {
        this.calls = calls;
        this.attachments = new GlideSysAttachment();
        this.claims = new CasebridgeClaim(calls);
        this.incidents = new CasebridgeIncident();
    },

    /** Returns the bytes of the file of the path as a stream. */
    read: function () {
        var incidentId = String(this.calls.read(this.incidents).incident.getUniqueValue());
        var attachment = new GlideRecord(CasebridgeFile.TABLE);
        CasebridgeFile.narrow(attachment, incidentId);
        attachment.addQuery('sys_id', this.calls.file());
        attachment.setLimit(1);
        attachment.query();
        if (!attachment.next()) {
            this._missing('The incident has no such file.');
        }
        if (CasebridgeIncident.text(attachment, 'state') === CasebridgeFile.INFECTED) {
            this._missing('The scan of the instance does not let it out.');
        }
        var stream = this.attachments.getContentStream(String(attachment.getUniqueValue()));
        if (!stream) {
            this.calls.fail(500, 'Operation failed', 'The instance does not give the bytes of the file.');
        }
        return stream;
    },

    /** Writes the body to the incident of the path as a file, as the query asks. Returns what became of it. */
    write: function () {
        var order = this._order();
        var incident = this.calls.read(this.incidents).incident;
        var incidentId = String(incident.getUniqueValue());
        var row = this.claims.find(order.externalId);
        if (row !== null) {
            if (!this.claims.isOf(row, incidentId)) {
                return this._result(order, 'refused', '', 'This external_id belongs to another incident.');
            }
            if (this.claims.isDone(row)) {
                return this._result(order, 'already_applied', CasebridgeIncident.text(row, 'journal'), '');
            }
            this.claims.refuseIfYoung(row);
            var earlier = this._earlier(incidentId, order, row);
            if (earlier !== '') {
                this.claims.finish(row, earlier);
                return this._result(order, 'already_applied', earlier, '');
            }
            // Delete the row and insert a new one: of several repeats one wins, and the unique index refuses the
            // others.
            row.deleteRecord();
        }
        return this._write(incident, order, this.claims.take(incidentId, order.externalId));
    },

    _order: function () {
        var size = this.calls.integer('size_bytes', 1, CasebridgeFile.MAXIMUM_BYTES, 0);
        if (size === 0) {
            this.calls.invalid('size_bytes', 'must be there');
        }
        return {
            externalId: this.calls.text(
                'external_id',
                CasebridgeFile.EXTERNAL_ID,
                'must name a file of a case, for example 0123456789abcdef-1795208400-0123456789abcdef-0a-f0'
            ),
            name: this.calls.text('file_name', CasebridgeFile.NAME, 'must have 1 to 200 characters, and no path'),
            contentType: this.calls.text('content_type', CasebridgeFile.CONTENT_TYPE, 'must be a MIME type'),
            size: size
        };
    },

    _write: function (incident, order, row) {
        var problem = '';
        var written = '';
        try {
            var stream = this.calls.stream();
            written = String(
                this.attachments.writeContentStream(incident, order.name, order.contentType, stream) || ''
            );
        } catch (raised) {
            problem = String(raised);
        }
        var attachment = new GlideRecord(CasebridgeFile.TABLE);
        // A rule of the instance may have deleted the file at once.
        if (written === '' || !attachment.get(written)) {
            this._discardParts(String(incident.getUniqueValue()), order, row);
            row.deleteRecord();
            return this._result(order, 'refused', '', problem || CasebridgeFile.REFUSAL);
        }
        if (CasebridgeFile.size(attachment) !== order.size) {
            this.attachments.deleteAttachment(written);
            row.deleteRecord();
            return this._result(order, 'incomplete', '', 'The body ended early, or went on after its end.');
        }
        this.claims.finish(row, written);
        return this._result(order, 'applied', written, '');
    },

    // Returns the sys_id of the file that an earlier attempt wrote, or ''. Deletes what an earlier attempt wrote of it.
    // The instance may change the name of a file. So if no other file of AWS is being written to the incident, a file of
    // another name counts as this one if it has its size. While one is being written, nobody can tell whose a file is.
    _earlier: function (incidentId, order, row) {
        var others = this._others(incidentId, row);
        others.forEach(function (claimedAt) {
            if (claimedAt > this.claims.youngSince()) {
                this.calls.fail(409, 'A file is being written by another request', order.externalId);
            }
        }, this);
        var isAlone = others.length === 0;
        var found = this._candidates(incidentId, row).filter(function (candidate) {
            return candidate.size === order.size && (isAlone || candidate.name === order.name);
        });
        found.sort(function (left, right) {
            return Number(right.name === order.name) - Number(left.name === order.name);
        });
        if (found.length > 0) {
            return found[0].sysId;
        }
        this._discardParts(incidentId, order, row);
        return '';
    },

    // Deletes files that an attempt for this row began and did not end: an attachment without all of its bytes. While
    // another file is being written to the incident, the part may be that one's: then it stays, and counts as unclear.
    _discardParts: function (incidentId, order, row) {
        if (this._others(incidentId, row).length > 0) {
            return;
        }
        this._candidates(incidentId, row).forEach(function (candidate) {
            if (candidate.size < order.size && candidate.name === order.name) {
                this.attachments.deleteAttachment(candidate.sysId);
            }
        }, this);
    },

    // Returns when the other files of AWS were claimed that are not known to be written to the incident. Such a file may
    // be there, and its row does not name it yet.
    _others: function (incidentId, row) {
        var other = new GlideRecord(CasebridgeClaim.TABLE);
        CasebridgeClaim.narrow(other, incidentId);
        other.addQuery('state', 'claimed');
        other.addQuery('external_id', '!=', String(row.getValue('external_id')));
        other.query();
        var claimed = [];
        while (other.next()) {
            if (CasebridgeFile.isNameOfFile(CasebridgeIncident.text(other, 'external_id'))) {
                claimed.push(CasebridgeIncident.text(other, 'claimed_at'));
            }
        }
        return claimed;
    },

    // Returns the files of the incident that were written since the claim by the user who claimed, under the name that the
    // user had then, and that no delivery names, oldest first.
    _candidates: function (incidentId, row) {
        var attachment = new GlideRecord(CasebridgeFile.TABLE);
        CasebridgeFile.narrow(attachment, incidentId);
        attachment.addQuery('sys_created_by', String(row.getValue('sys_created_by') || gs.getUserName()));
        attachment.addQuery('sys_created_on', '>=', String(row.getValue('claimed_at')));
        attachment.orderBy('sys_created_on');
        attachment.orderBy('sys_id');
        attachment.query();
        var found = [];
        while (attachment.next()) {
            var sysId = String(attachment.getUniqueValue());
            if (!this.claims.isNamed(sysId)) {
                found.push({
                    sysId: sysId,
                    name: CasebridgeIncident.text(attachment, 'file_name'),
                    size: CasebridgeFile.size(attachment)
                });
            }
        }
        return found;
    },

    _missing: function (detail) {
        this.calls.fail(404, 'No such file', detail);
    },

    // The digest is the platform's own, of what it has stored. Not every version of the platform has one.
    _result: function (order, outcome, attachment, error) {
        var stored = new GlideRecord(CasebridgeFile.TABLE);
        var isThere = attachment !== '' && stored.get(attachment);
        return {
            external_id: order.externalId,
            outcome: outcome,
            attachment: attachment,
            sha256: isThere ? CasebridgeIncident.text(stored, 'hash').toLowerCase() : '',
            error: error
        };
    },

    type: 'CasebridgeFile'
};
