/**
 * Writes messages from AWS to an incident, each once, then fields and columns. A repeat of a message looks for it in the
 * journal before it writes.
 */
var CasebridgeDelivery = Class.create();

/** The most messages of one delivery. Each takes three writes, and casebridge waits 15 seconds for all of them. */
CasebridgeDelivery.MESSAGES_LIMIT = 25;
/**
 * The most characters of a message. AWS Support's texts have 8,000, so this leaves room for other kinds of link. With
 * 25 messages a body stays far below the 10 MB that the platform allows.
 */
CasebridgeDelivery.TEXT_LIMIT = 100000;
/** The most characters of an external_id, as its column holds them. */
CasebridgeDelivery.EXTERNAL_ID_LIMIT = 100;
/**
 * The form of a communication's external_id: link and case, second, text, place among equals, `a` if AWS wrote it, `m`
 * if it has a mark.
 */
CasebridgeDelivery.EXTERNAL_ID = /^[0-9a-f]{16}--?[0-9]{1,12}-[0-9a-f]{16}-[0-9]{1,10}a?m?$/;
/** Control characters other than tab and line ends. No text needs them, and the platform may drop them. */
CasebridgeDelivery.CONTROLS = /[^\t\n\r\u0020-\uffff]/g;
/** The most characters of a field or a column: as many as close_notes, the longest of them, holds. */
CasebridgeDelivery.FIELD_LIMIT = 4000;
/**
 * How often the worst status is written again because another link has changed its own status meanwhile. An incident
 * has few links, so they seldom meet twice in a row. A later pass of a link corrects what is left.
 */
CasebridgeDelivery.SETTLE_LIMIT = 3;
CasebridgeDelivery.JOURNALS = { comment: 'comments', work_note: 'work_notes' };
CasebridgeDelivery.FIELDS = ['state', 'close_code', 'close_notes', 'hold_reason', 'impact', 'urgency'];
CasebridgeDelivery.REFUSAL = 'The instance refused the update and gave no reason.';

CasebridgeDelivery.prototype = {
    /** `calls` is the request. Errors that are raised here end it. */
    initialize: function (calls) {
        this.calls = calls;
        this.claims = new CasebridgeClaim(calls);
        this.incidents = new CasebridgeIncident();
        this.links = new CasebridgeLink();
    },

    /** Does what the body asks for on the incident of the path. Returns the outcome and a snapshot of the incident. */
    deliver: function (body) {
        var order = this._parse(body);
        var incident = this.calls.read(this.incidents).incident;
        var incidentId = String(incident.getUniqueValue());
        var modCount = parseInt(incident.getValue('sys_mod_count') || '0', 10);
        var isFresh = order.expected === null || order.expected === modCount;
        var seen = this._fieldsOf(incident);
        order.messages.forEach(function (message) {
            this._settleClaim(incidentId, message);
        }, this);
        var results = [];
        for (var index = 0; index < order.messages.length; index += 1) {
            var result = this._message(incidentId, order.messages[index]);
            results.push(result);
            // The messages after a refused one would overtake it.
            if (result.outcome === 'refused') {
                break;
            }
        }
        var written = this._values(incidentId, order, isFresh, seen);
        var after = this.calls.read(this.incidents);
        return {
            messages: results,
            fields: written.outcome,
            field_error: written.error,
            snapshot: this.incidents.show(after.incident, order.kind, after.takenAt, order.entriesSince, '')
        };
    },

    _parse: function (body) {
        this.calls.checkNames('', body, ['kind', 'expected_mod_count', 'messages', 'fields', 'columns', 'entries_since']);
        var kind = this.calls.checkKind(body.kind);
        var columns = CasebridgeLink.ownColumns(kind).concat(CasebridgeLink.STATUS_COLUMNS);
        var expected = body.expected_mod_count === undefined ? null : body.expected_mod_count;
        if (expected !== null && !(typeof expected === 'number' && expected >= 0 && expected % 1 === 0)) {
            this.calls.invalid('expected_mod_count', 'must be a whole number or null');
        }
        return {
            kind: kind,
            expected: expected,
            messages: this._parseMessages(body.messages),
            fields: this.calls.texts('fields', body.fields, CasebridgeDelivery.FIELDS, CasebridgeDelivery.FIELD_LIMIT),
            columns: this.calls.texts('columns', body.columns, columns, CasebridgeDelivery.FIELD_LIMIT),
            entriesSince: this._parseSince(body.entries_since)
        };
    },

    _parseSince: function (since) {
        var isGiven = since !== undefined && since !== null && since !== '';
        return isGiven ? this.calls.checkTime('entries_since', since) : '';
    },

    _parseMessages: function (messages) {
        var list = this.calls.checkList('messages', messages, CasebridgeDelivery.MESSAGES_LIMIT);
        for (var index = 0; index < list.length; index += 1) {
            this._checkMessage('messages[' + index + ']', list[index]);
        }
        return list;
    },

    _checkMessage: function (name, message) {
        this.calls.checkObject(name, message);
        this.calls.checkNames(name + '.', message, ['external_id', 'text', 'kind']);
        this.calls.checkText(name + '.external_id', message.external_id);
        if (message.external_id.length < 1 || message.external_id.length > CasebridgeDelivery.EXTERNAL_ID_LIMIT) {
            this.calls.invalid(
                name + '.external_id',
                'must have 1 to ' + CasebridgeDelivery.EXTERNAL_ID_LIMIT + ' characters'
            );
        }
        if (!CasebridgeDelivery.EXTERNAL_ID.test(message.external_id)) {
            this.calls.invalid(
                name + '.external_id',
                'must name a communication of a case, for example 0123456789abcdef-1795208400-0123456789abcdef-0a'
            );
        }
        this.calls.checkContent(name + '.text', message.text, 1, CasebridgeDelivery.TEXT_LIMIT);
        if (this._harmless(message.text).trim() === '') {
            this.calls.unacceptable(name + '.text', 'must not be blank');
        }
        if (!CasebridgeDelivery.JOURNALS.hasOwnProperty(message.kind)) {
            this.calls.invalid(name + '.kind', 'must be comment or work_note');
        }
    },

    // Ends what an earlier attempt began, before anything new is claimed: finds its entry, or deletes its row. So no second
    // delivery is unfinished, and the entry of an unfinished one is known to be its own, whatever its words are by now.
    _settleClaim: function (incidentId, message) {
        var row = this.claims.find(message.external_id);
        if (row === null || !this.claims.isOf(row, incidentId) || this.claims.isDone(row)) {
            return;
        }
        this.claims.refuseIfYoung(row);
        var element = CasebridgeDelivery.JOURNALS[message.kind];
        var earlier = this._earlier(incidentId, element, this._harmless(message.text), row);
        if (earlier === '') {
            row.deleteRecord();
        } else {
            this.claims.finish(row, earlier);
        }
    },

    _message: function (incidentId, message) {
        var row = this.claims.find(message.external_id);
        if (row !== null && !this.claims.isOf(row, incidentId)) {
            return this._result(message, 'refused', '', 'This external_id belongs to another incident.');
        }
        if (row !== null && this.claims.isDone(row)) {
            return this._result(message, 'already_applied', String(row.getValue('journal') || ''), '');
        }
        // A row that is there and not done is another request's, since this one has settled its own. The unique index
        // refuses a second row, so of several repeats one wins.
        row = this.claims.take(incidentId, message.external_id);
        var element = CasebridgeDelivery.JOURNALS[message.kind];
        return this._write(incidentId, message, element, this._harmless(message.text), row);
    },

    _write: function (incidentId, message, element, text, row) {
        var incident = this.incidents.find(incidentId);
        if (incident === null) {
            row.deleteRecord();
            return this._result(message, 'refused', '', 'The incident no longer exists.');
        }
        if (element === 'comments') {
            incident.comments = text;
        } else {
            incident.work_notes = text;
        }
        var problem = this._update(incident);
        var journal = this._entry(incidentId, element, text, row);
        // The journal decides: if a rule fails after the entry was written, the update looks refused.
        if (problem !== '' && journal === '') {
            row.deleteRecord();
            return this._result(message, 'refused', '', problem);
        }
        this.claims.finish(row, journal);
        return this._result(message, 'applied', journal, '');
    },

    // Returns the sys_id of the entry that an earlier attempt wrote, or ''. AWS may show the text differently by now,
    // redacted or with another author. So if no other delivery to the incident is unfinished, any entry since the claim
    // counts as this message's.
    _earlier: function (incidentId, element, text, row) {
        var exact = this._entry(incidentId, element, text, row);
        if (exact !== '' || this._isAnotherUnfinished(incidentId, row)) {
            return exact;
        }
        return this._entry(incidentId, element, null, row);
    },

    _isAnotherUnfinished: function (incidentId, row) {
        var other = new GlideRecord(CasebridgeClaim.TABLE);
        CasebridgeClaim.narrow(other, incidentId);
        other.addQuery('state', 'claimed');
        other.addQuery('external_id', '!=', String(row.getValue('external_id')));
        other.query();
        while (other.next()) {
            if (!CasebridgeFile.isNameOfFile(CasebridgeIncident.text(other, 'external_id'))) {
                return true;
            }
        }
        return false;
    },

    // Returns the sys_id of the first journal entry that holds the text (any text if `text` is null), was written since
    // the claim by the user who claimed, under the name that the user had then, and belongs to no other delivery.
    // Returns '' if there is none.
    _entry: function (incidentId, element, text, row) {
        var wanted = text === null ? null : CasebridgeIncident.comparable(text);
        var entry = new GlideRecord('sys_journal_field');
        entry.addQuery('element_id', incidentId);
        entry.addQuery('element', element);
        entry.addQuery('sys_created_by', String(row.getValue('sys_created_by') || gs.getUserName()));
        entry.addQuery('sys_created_on', '>=', String(row.getValue('claimed_at')));
        entry.orderBy('sys_created_on');
        entry.orderBy('sys_id');
        entry.query();
        while (entry.next()) {
            if (
                (wanted === null || CasebridgeIncident.comparable(String(entry.getValue('value'))) === wanted) &&
                !this.claims.isNamed(entry.getUniqueValue())
            ) {
                return String(entry.getUniqueValue());
            }
        }
        return '';
    },

    // The journal shows the text between [code] tags as HTML. No text from outside may be shown as HTML, so this takes
    // the tags apart. It first removes control characters, since the platform may drop them and so form a tag.
    _harmless: function (text) {
        return text.replace(CasebridgeDelivery.CONTROLS, '').replace(/\[(\/?code)\]/gi, '[ $1 ]');
    },

    _values: function (incidentId, order, isFresh, seen) {
        var hasFields = Object.keys(order.fields).length > 0;
        var hasColumns = Object.keys(order.columns).length > 0;
        if (!hasFields && !hasColumns) {
            return { outcome: 'none', error: '' };
        }
        if (!isFresh || (order.messages.length > 0 && this._isChanged(incidentId, seen))) {
            return { outcome: 'stale', error: '' };
        }
        var rowProblem = this._note(incidentId, order);
        var columns = this._columns(incidentId, order, rowProblem === '');
        var problem = this._set(incidentId, order.fields, columns);
        var columnProblem = problem;
        if (problem !== '' && hasFields && hasColumns) {
            columnProblem = this._set(incidentId, {}, columns);
            if (columnProblem !== '') {
                problem += ' The columns were refused, too: ' + columnProblem;
            }
        }
        if (columnProblem === '' && rowProblem === '' && this.links.isTold(order.columns)) {
            this._settle(incidentId);
        }
        var problems = [problem, rowProblem].filter(function (words) {
            return words !== '';
        });
        return { outcome: problem === '' ? 'applied' : 'refused', error: problems.join(' ') };
    },

    // Records the status that the order gives its link. Returns '' or why it was not recorded. The rest of the order is
    // applied all the same, and the answer holds the reason.
    _note: function (incidentId, order) {
        if (!this.links.isTold(order.columns)) {
            return '';
        }
        var problem = this.links.note(incidentId, order.kind, order.columns);
        if (problem === '') {
            return '';
        }
        problem = 'The status of the link was not recorded: ' + problem;
        gs.error('casebridge: ' + problem);
        return problem;
    },

    // Returns the values for the columns of the incident: the link's own columns, and the worst status of all links. If
    // the status of this link could not be recorded, the incident shows that status instead of the worst. Then the link
    // finds its status in the snapshot and does not deliver it again and again.
    _columns: function (incidentId, order, isNoted) {
        var columns = {};
        CasebridgeLink.ownColumns(order.kind).forEach(function (name) {
            if (order.columns.hasOwnProperty(name)) {
                columns[name] = order.columns[name];
            }
        });
        if (!this.links.isTold(order.columns)) {
            return columns;
        }
        var status = isNoted ? this.links.worst(incidentId) : this.links.said(order.columns);
        Object.keys(status).forEach(function (name) {
            columns[name] = status[name];
        });
        return columns;
    },

    // Another link may have changed its status after this one read the worst, and may have written to the incident
    // before this one did. Each link looks again after it has written, so the last one sees both.
    _settle: function (incidentId) {
        for (var attempt = 0; attempt < CasebridgeDelivery.SETTLE_LIMIT; attempt += 1) {
            var incident = this.incidents.find(incidentId);
            if (incident === null || this.links.isSettled(incident)) {
                return;
            }
            // A later pass of a link corrects what is refused here: its snapshot shows the wrong status.
            if (this._set(incidentId, {}, this.links.worst(incidentId)) !== '') {
                return;
            }
        }
    },

    // Whether the fields have changed. An agent may save the incident while messages are written.
    _isChanged: function (incidentId, seen) {
        var incident = this.incidents.find(incidentId);
        var present = incident === null ? {} : this._fieldsOf(incident);
        return CasebridgeDelivery.FIELDS.some(function (name) {
            return present[name] !== seen[name];
        });
    },

    _fieldsOf: function (incident) {
        var values = {};
        CasebridgeDelivery.FIELDS.forEach(function (name) {
            values[name] = String(incident.getValue(name) || '');
        });
        return values;
    },

    // Returns '' or why the incident was not updated.
    _set: function (incidentId, fields, columns) {
        var incident = this.incidents.find(incidentId);
        if (incident === null) {
            return 'The incident no longer exists.';
        }
        var differs = false;
        Object.keys(fields).forEach(function (name) {
            differs = CasebridgeIncident.put(incident, name, fields[name]) || differs;
        });
        // The code columns follow what the agent has chosen, for everybody who reads them and not the references.
        [columns, CasebridgeCatalogue.chosen(incident)].forEach(function (values) {
            Object.keys(values).forEach(function (name) {
                differs = CasebridgeIncident.put(incident, CasebridgeIncident.PREFIX + name, values[name]) || differs;
            });
        });
        // The platform may answer an update without changes like one that it refuses.
        var problem = differs ? this._update(incident) : '';
        if (problem !== '' || fields.state === undefined) {
            return problem;
        }
        // A rule may put the old state back without refusing the update.
        var state = String(this.incidents.find(incidentId).getValue('state'));
        return state === fields.state ? '' : 'The instance set the state to ' + state + ' instead.';
    },

    // Returns '' or why the update was refused.
    _update: function (incident) {
        try {
            if (incident.update()) {
                return '';
            }
        } catch (problem) {
            return String(problem);
        }
        return String(incident.getLastErrorMessage() || CasebridgeDelivery.REFUSAL);
    },

    _result: function (message, outcome, journal, error) {
        return { external_id: message.external_id, outcome: outcome, journal: journal, error: error };
    },

    type: 'CasebridgeDelivery'
};
