package config

import (
	"errors"
	"net/mail"
	"net/url"
)

// mailSettings are the keys about sending mail (R24).
func mailSettings() []setting {
	return []setting{
		{key: "config.smtp.url", env: []string{"SMTP_URL"}, secret: true, help: "smtp://host:587 or smtps://host:465, with user and password before the host; without it no mail is sent", set: setSMTP},
		{key: "config.smtp.from", env: []string{"MAIL_FROM"}, help: "the address that mail comes from, such as Muster <muster@example.com>", set: setMailFrom},
	}
}

func setSMTP(c *Config, text string) error {
	c.SMTP = nil
	if text == "" {
		return nil
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "smtp" && parsed.Scheme != "smtps" {
		return errors.New("allowed are smtp://host:587 (encrypted by STARTTLS) and smtps://host:465, with user:password@ before the host where the server asks for it")
	}
	switch tls := parsed.Query().Get("tls"); tls {
	case "", "none", "opportunistic":
	default:
		return errors.New("allowed for tls are none and opportunistic; without it the connection must be encrypted")
	}
	c.SMTP = parsed
	return nil
}

func setMailFrom(c *Config, text string) error {
	c.MailFrom = text
	if text == "" {
		return nil
	}
	if _, err := mail.ParseAddress(text); err != nil {
		return errors.New("allowed is an e-mail address, with or without a name: Muster <muster@example.com>")
	}
	return nil
}

// finishMail refuses a server without a sender.
func (c *Config) finishMail() error {
	if c.SMTP != nil && c.MailFrom == "" {
		return errors.New("config.smtp.from is missing: config.smtp.url is set, so say from which address mail comes")
	}
	c.Policy.MailEnabled, c.Policy.PublicURL = c.SMTP != nil, c.PublicURL
	return nil
}
