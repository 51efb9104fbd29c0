// Package mail is what Jiseki tells people: the kinds of notices with their words in both languages, and the mails that
// carry them to official addresses.
//
// Notices are kept by the store in the transaction of the act that they tell of. From there an [Outbox] gathers them
// into digests, at most one mail a user in a given time, and a Post sends these by SMTP. It guarantees that a mail
// server which fails, hangs or cuts off delays mails and loses none, that nobody waits for it, and that several
// gateways on one database do not send the same mail twice unless one of them dies in the moment between the server's
// yes and writing it down.
package mail
