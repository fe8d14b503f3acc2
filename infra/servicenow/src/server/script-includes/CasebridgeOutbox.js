/**
 * Keeps each webhook until AWS has accepted it. The rule that queues a webhook makes one attempt at once; from then on
 * only the outbox job sends, with a delay that grows. What is sent names the incident and nothing of its
 * content, under the webhook-id that the entry got when it was queued.
 */
var CasebridgeOutbox = Class.create();

CasebridgeOutbox.TABLE = 'x_casebridge_aws_outbox';
/** While the rule makes its attempt the job stays away; if the rule died, the job takes over after this. */
CasebridgeOutbox.FIRST_ATTEMPT_SECONDS = 60;
CasebridgeOutbox.DELAY_SECONDS = 30;
CasebridgeOutbox.DELAY_MAXIMUM_SECONDS = 3600;
CasebridgeOutbox.ENTRIES_PER_RUN = 100;
/** A run ends before the next one is due. */
CasebridgeOutbox.RUN_MILLISECONDS = 45000;
CasebridgeOutbox.DELETIONS_PER_RUN = 500;
CasebridgeOutbox.RETENTION_DAYS = 7;
CasebridgeOutbox.SECONDS_PER_DAY = 86400;

CasebridgeOutbox.prototype = {
    initialize: function () {
        this.incidents = new CasebridgeIncident();
        this.webhook = new CasebridgeWebhook();
        this.silence = new CasebridgeInstallation().silence();
    },

    /** Queues a webhook and makes one attempt, if the incident has a case, should have one, or AWS has heard of it. */
    announce: function (incident) {
        if (!this.incidents.isServed(incident)) {
            return;
        }
        // Where the app is silent one entry waits for each incident, however often that is saved.
        if (this.silence !== '' && this._isWaiting(incident)) {
            return;
        }
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.initialize();
        entry.setValue('webhook_id', gs.generateGUID());
        entry.setValue('incident', incident.getUniqueValue());
        entry.setValue('state', 'pending');
        entry.setValue('attempts', 0);
        entry.setValue('next_attempt_at', this._after(CasebridgeOutbox.FIRST_ATTEMPT_SECONDS));
        if (!entry.insert()) {
            gs.error('casebridge: the outbox refused an entry: ' + entry.getLastErrorMessage());
            return;
        }
        this._attempt(entry);
    },

    /** Attempts the entries that are due, those that have waited longest first. */
    sendDue: function () {
        var started = new GlideDateTime().getNumericValue();
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('state', 'IN', 'pending,error');
        entry.addQuery('next_attempt_at', '<=', new GlideDateTime().getValue());
        if (this.silence !== '') {
            // Those that say so already have nothing to do but wait; they are due once the app may speak.
            entry.addQuery('last_error', '!=', this.silence).addOrCondition('last_error', '=', '');
        }
        entry.orderBy('next_attempt_at');
        entry.setLimit(CasebridgeOutbox.ENTRIES_PER_RUN);
        entry.query();
        while (
            new GlideDateTime().getNumericValue() - started < CasebridgeOutbox.RUN_MILLISECONDS &&
            entry.next()
        ) {
            this._attempt(entry);
        }
    },

    /** Deletes sent entries after the retention time. */
    deleteExpired: function () {
        var days = parseInt(gs.getProperty('x_casebridge_aws.outbox_retention_days', ''), 10);
        if (!(days >= 0)) {
            days = CasebridgeOutbox.RETENTION_DAYS;
        }
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('state', 'sent');
        entry.addQuery('sent_at', '<', this._after(-days * CasebridgeOutbox.SECONDS_PER_DAY));
        entry.orderBy('sent_at');
        entry.setLimit(CasebridgeOutbox.DELETIONS_PER_RUN);
        entry.query();
        while (entry.next()) {
            entry.deleteRecord();
        }
    },

    // Whether an entry of the incident waits to be sent.
    _isWaiting: function (incident) {
        var entry = new GlideRecord(CasebridgeOutbox.TABLE);
        entry.addQuery('incident', incident.getUniqueValue());
        entry.addQuery('state', 'IN', 'pending,error');
        entry.setLimit(1);
        entry.query();
        return entry.next();
    },

    _attempt: function (entry) {
        if (this.silence !== '') {
            entry.setValue('state', 'error');
            entry.setValue('last_error', this.silence);
            entry.update();
            return;
        }
        var incident = this.incidents.find(String(entry.getValue('incident')));
        if (incident === null) {
            this._close(entry, 'The incident no longer exists: there is nothing to send.');
            return;
        }
        var attempts = parseInt(entry.getValue('attempts') || '0', 10) + 1;
        entry.setValue('attempts', attempts);
        var problem = this.webhook.send(String(entry.getValue('webhook_id')), incident);
        if (problem === '') {
            this._close(entry, '');
            return;
        }
        entry.setValue('state', 'error');
        entry.setValue('last_error', problem);
        entry.setValue('next_attempt_at', this._after(this._delay(attempts)));
        entry.update();
        gs.warn('casebridge: ' + incident.getValue('number') + ': ' + problem);
    },

    _close: function (entry, remark) {
        entry.setValue('state', 'sent');
        entry.setValue('last_error', remark);
        entry.setValue('sent_at', new GlideDateTime().getValue());
        entry.update();
    },

    _delay: function (attempts) {
        var delay = CasebridgeOutbox.DELAY_SECONDS * Math.pow(2, attempts - 1);
        return Math.min(delay, CasebridgeOutbox.DELAY_MAXIMUM_SECONDS);
    },

    _after: function (seconds) {
        var time = new GlideDateTime();
        time.addSeconds(seconds);
        return String(time.getValue());
    },

    type: 'CasebridgeOutbox'
};
