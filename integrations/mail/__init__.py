"""Mail out: composing, handing over, reading what comes back.

compose(*, key, date, sender, to, texts, attachments=(), reply_to=None, in_reply_to="", references=(),
auto_submitted="auto-generated", envelope_sender="") -> OutgoingMail            integrations.mail.compose
message_id(key, domain) -> str                                                           integrations.mail.compose
SmtpSender(server: SmtpServer)      .send(mail, before_data) -> SendResult  .close()     integrations.mail.smtp
AsyncSmtpSender(server)             the same, awaitable                                  integrations.mail.smtp
NullSender(answers=())              records, sends nothing                               integrations.mail.null
read_bounce(raw) -> Bounce | None                                                        integrations.mail.bounce
service_report_mail(...), invoice_mail(...), bounce_notice_mail(...), portal_invitation_mail(...),
        password_reset_mail(...) -> MailTexts                                            integrations.mail.catalogue
render_mail(name, values) -> MailTexts   for mails that others add to templates/mail/    integrations.mail.texts
sunk_mails(folder) -> list[SunkMail]     what the recording sink has taken               integrations.mail.sink
python -m integrations.mail.sink --dir DIR --port PORT [--port-file FILE]
"""
