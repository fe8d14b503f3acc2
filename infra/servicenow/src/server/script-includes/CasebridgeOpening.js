/**
 * Opens the incident of a case that somebody opened at AWS. The sys_id comes with the request and follows from the case.
 * So a repeat finds the incident there and opens no second one.
 */
var CasebridgeOpening = Class.create();

/** The fields of the incident that the request gives, each with the most characters that the platform's column holds. */
CasebridgeOpening.FIELDS = {
    short_description: 160,
    description: 4000,
    impact: 40,
    urgency: 40
};
/** The columns of the app that the request gives beside those of the link. */
CasebridgeOpening.CODES = ['service_code', 'category_code'];
/** The most characters of a code, as its column holds them. */
CasebridgeOpening.CODE_LIMIT = 100;

CasebridgeOpening.prototype = {
    /** `calls` is the request. Errors that are raised here end it. */
    initialize: function (calls) {
        this.calls = calls;
        this.incidents = new CasebridgeIncident();
        this.links = new CasebridgeLink();
    },

    /** Opens the incident of the path, if it is not there. Returns its snapshot, with its first comments. */
    open: function (body) {
        var order = this._parse(body);
        var incidentId = this.calls.incident();
        if (this.incidents.find(incidentId) === null) {
            this._insert(incidentId, order, this._account(order.account));
        }
        var read = this.calls.read(this.incidents);
        return this.incidents.show(read.incident, order.kind, read.takenAt, '', '');
    },

    _parse: function (body) {
        var fields = Object.keys(CasebridgeOpening.FIELDS);
        var texts = fields.concat(CasebridgeOpening.CODES, ['account']);
        this.calls.checkNames('', body, texts.concat(['kind', 'columns']));
        var kind = this.calls.checkKind(body.kind);
        var columns = CasebridgeLink.ownColumns(kind).concat(CasebridgeLink.STATUS_COLUMNS);
        fields.forEach(function (name) {
            this.calls.checkContent(name, body[name], 0, CasebridgeOpening.FIELDS[name]);
        }, this);
        CasebridgeOpening.CODES.forEach(function (name) {
            this.calls.checkContent(name, body[name], 0, CasebridgeOpening.CODE_LIMIT);
        }, this);
        this.calls.checkText('account', body.account);
        if (!CasebridgeIncident.ACCOUNT_NUMBER.test(body.account)) {
            this.calls.invalid('account', 'an AWS account number has 12 digits');
        }
        return {
            kind: kind,
            account: body.account,
            texts: body,
            columns: this.calls.texts('columns', body.columns, columns, CasebridgeDelivery.FIELD_LIMIT)
        };
    },

    // Returns the account's record. Only an active account gets incidents.
    _account: function (number) {
        var account = new GlideRecord(CasebridgeIncident.ACCOUNTS);
        if (!account.get('number', number) || !CasebridgeIncident.isTrue(account, 'active')) {
            this.calls.unacceptable('account', 'ServiceNow has no active AWS account ' + number);
        }
        return account;
    },

    _insert: function (incidentId, order, account) {
        var incident = new GlideRecord('incident');
        incident.initialize();
        incident.setNewGuidValue(incidentId);
        Object.keys(CasebridgeOpening.FIELDS).forEach(function (name) {
            incident.setValue(name, order.texts[name]);
        });
        incident.setValue('assignment_group', CasebridgeIncident.text(account, 'assignment_group'));
        // The integration user is nobody's caller: a comment by the caller takes an incident off hold.
        incident.setValue('caller_id', CasebridgeIncident.text(account, 'aws_user'));
        var columns = this._columns(incidentId, order);
        Object.keys(columns).forEach(function (name) {
            incident.setValue(CasebridgeIncident.PREFIX + name, columns[name]);
        });
        CasebridgeCatalogue.choose(incident, order.texts.service_code, order.texts.category_code);
        var problem = CasebridgeIncident.save(incident, 'insert');
        // Another request may have opened the incident in the meantime.
        if (problem !== '' && this.incidents.find(incidentId) === null) {
            this.calls.unacceptable('incident', 'the instance refused it: ' + problem);
        }
    },

    // Returns the columns of the app: the codes, the link's own columns, and its status.
    _columns: function (incidentId, order) {
        var columns = {};
        CasebridgeOpening.CODES.forEach(function (name) {
            columns[name] = order.texts[name];
        });
        Object.keys(order.columns).forEach(function (name) {
            columns[name] = order.columns[name];
        });
        var said = this.links.said(order.columns);
        Object.keys(said).forEach(function (name) {
            columns[name] = said[name];
        });
        var problem = this.links.note(incidentId, order.kind, order.columns);
        if (problem !== '') {
            // The incident shows the status all the same. A later delivery writes the row.
            gs.error('casebridge: The status of the link was not recorded: ' + problem);
        }
        return columns;
    },

    type: 'CasebridgeOpening'
};
