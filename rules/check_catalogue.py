"""Prüfkatalog: the checks of a customer's IT that are easily forgotten (S106-S109). Pure values.

What a new house starts with. It may change titles, checklists and intervals and add checks of its own; a check is known
by its key, or by its title as a customer's list names it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """A value to write down at the check, e.g. the free space of a disk."""

    key: str
    label: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueCheck:
    """One check. `skill` is a skill of a technician as employees.csv names it; `minutes` the usual time for one round."""

    key: str
    title: str
    topic: str
    skill: str
    purpose: str
    cadence: str
    minutes: int
    checklist: tuple[str, ...]
    readings: tuple[Reading, ...] = ()


def _check(head: str, purpose: str, checklist: str, *readings: Reading) -> CatalogueCheck:
    """An entry from its head line `key | title | topic | skill | cadence | minutes` and one line per item."""
    key, title, topic, skill, cadence, minutes = (part.strip() for part in head.split("|"))
    items = tuple(line.strip() for line in checklist.strip().splitlines())
    return CatalogueCheck(
        key=key, title=title, topic=topic, skill=skill, purpose=purpose, cadence=cadence, minutes=int(minutes),
        checklist=items, readings=readings,
    )  # fmt: skip


STANDARD_CHECKS: tuple[CatalogueCheck, ...] = (
    _check(
        "backup | Kontrolle der Datensicherung | Sicherung | Datensicherung | FREQ=WEEKLY;BYDAY=MO | 15",
        "Eine Sicherung, die niemand ansieht, fehlt an dem Tag, an dem man sie braucht.",
        """Alle Sicherungsaufträge seit der letzten Kontrolle ansehen
        Fehler und Warnungen klären oder als Ticket anlegen
        Alter der jüngsten vollständigen Sicherung prüfen
        Freien Platz auf dem Sicherungsziel prüfen
        Auslagerung (Band, Wechselplatte, Rechenzentrum) bestätigen""",
        Reading("letzte_sicherung", "Jüngste vollständige Sicherung"),
        Reading("frei", "Freier Platz am Sicherungsziel", "GB"),
    ),
    _check(
        "restore_test | Rücksicherung zur Probe | Sicherung | Datensicherung | FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15 | 60",
        "Erst die gelungene Rücksicherung zeigt, dass gesichert wurde.",
        """Datei, Datenbank oder Postfach für die Probe auswählen
        An einen anderen Ort zurücksichern, Originale nicht überschreiben
        Inhalt öffnen und mit dem Original vergleichen
        Dauer der Rücksicherung festhalten
        Probedaten wieder löschen""",
        Reading("dauer", "Dauer der Rücksicherung", "min"),
    ),
    _check(
        "backup_offsite | Ausgelagerte Sicherung prüfen | Sicherung | Datensicherung | FREQ=MONTHLY;BYDAY=1WE | 20",
        "Gegen Feuer, Diebstahl und Verschlüsselung hilft nur eine Kopie, die anderswo und unveränderbar liegt.",
        """Letzte Übertragung ins Rechenzentrum oder Wechsel des Mediums prüfen
        Unveränderbarkeit und Aufbewahrungsfrist der Kopie prüfen
        Zugang zur ausgelagerten Kopie mit dem Notfallkonto testen""",
    ),
    _check(
        "antivirus | Virenschutz: Stand und Funde prüfen | Virenschutz | Monitoring | FREQ=WEEKLY;BYDAY=TU | 15",
        "Ein Virenschutz schützt nur Geräte, auf denen er läuft und aktuell ist.",
        """Geräte ohne Schutz oder mit veralteten Signaturen suchen
        Funde und Quarantäne seit der letzten Prüfung auswerten
        Ausnahmen durchsehen und begründen
        Laufzeit der Lizenz prüfen""",
        Reading("ohne_schutz", "Geräte ohne aktuellen Schutz", "Stück"),
    ),
    _check(
        "firewall | Firewall: Firmware und Regeln prüfen | Firewall | Firewall | FREQ=MONTHLY;BYDAY=1TH | 30",
        "Die Firewall steht im Internet; bekannte Lücken ihrer Firmware werden zuerst angegriffen.",
        """Konfiguration sichern
        Firmware mit der des Herstellers vergleichen und im Fenster aktualisieren
        Regeln ohne Treffer und befristete Freigaben durchsehen
        Angriffserkennung, Webfilter und Lizenzen prüfen
        VPN-Zugänge mit der Liste der Berechtigten abgleichen""",
        Reading("firmware", "Firmware-Stand"),
    ),
    _check(
        "server_updates | Updates der Server einspielen | Server | Server | FREQ=MONTHLY;BYDAY=3WE | 90",
        "Sicherheitsupdates wirken erst nach dem Neustart, und der braucht ein Fenster.",
        """Sicherung oder Momentaufnahme vor Beginn bestätigen
        Sicherheitsupdates einspielen und neu starten
        Dienste, Fachanwendungen und Anmeldung nach dem Neustart prüfen
        Zurückgestellte Updates mit Grund festhalten""",
    ),
    _check(
        "client_updates | Updates der Arbeitsplätze | Arbeitsplatz | Arbeitsplatz | FREQ=MONTHLY;BYDAY=2TH | 45",
        "Die meisten Angriffe beginnen an einem Arbeitsplatz.",
        """Stand der Windows-Updates aller Geräte auswerten
        Browser, PDF-Leser und Office-Programme auf Stand bringen
        Geräte suchen, die sich seit 30 Tagen nicht gemeldet haben
        Ende der Unterstützung von Betriebssystemen prüfen""",
        Reading("rueckstand", "Geräte im Rückstand", "Stück"),
    ),
    _check(
        "disk_and_events | Speicherplatz und Ereignisprotokolle | Server | Server | FREQ=WEEKLY;INTERVAL=2;BYDAY=TH | 20",
        "Volle Platten und wiederkehrende Fehler kündigen den Ausfall an.",
        """Freien Platz aller Laufwerke prüfen
        Fehler in System- und Anwendungsprotokoll auswerten
        Zustand von RAID, Platten und Speichercontroller prüfen
        Dienste prüfen, die laufen sollten und stehen""",
        Reading("kleinster_rest", "Kleinster freier Rest", "%"),
    ),
    _check(
        "virtualisation | Virtualisierung prüfen | Server | Virtualisierung | FREQ=MONTHLY;BYDAY=2WE | 30",
        "Am Wirtsystem hängen alle Server zugleich.",
        """Auslastung von Speicher, Prozessor und Datenspeicher prüfen
        Vergessene Momentaufnahmen suchen und auflösen
        Stand des Wirtsystems und der Gastwerkzeuge prüfen
        Replikation und Umschaltung prüfen, wo vorhanden""",
    ),
    _check(
        "directory | Verzeichnisdienst und Namensauflösung | Server | Server | FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO | 45",
        "Ohne Anmeldung und Namensauflösung steht der ganze Betrieb.",
        """Replikation der Domänencontroller prüfen
        Zeitquelle und Zeitabweichung prüfen
        DNS-Weiterleitungen und verwaiste Einträge prüfen
        DHCP-Bereiche auf freie Adressen prüfen""",
    ),
    _check(
        "accounts | Benutzerkonten und Berechtigungen | Sicherheit | Server | FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=10 | 45",
        "Konten ausgeschiedener Mitarbeiter sind offene Türen.",
        """Konten ohne Anmeldung seit 90 Tagen vorlegen
        Liste der Konten mit dem Personalstand des Kunden abgleichen
        Mitglieder der Verwaltungsgruppen bestätigen lassen
        Dienstkonten und Kennwörter ohne Ablauf durchsehen""",
        Reading("gesperrt", "Gesperrte Konten", "Stück"),
    ),
    _check(
        "mfa | Mehrfaktor-Anmeldung und Fernzugänge | Sicherheit | Microsoft 365 | FREQ=MONTHLY;INTERVAL=3;BYDAY=3TU | 30",
        "Ein erratenes Kennwort allein darf nicht genügen.",
        """Konten ohne zweiten Faktor suchen
        Fernzugänge (VPN, Fernwartung, Terminalserver) mit den Berechtigten abgleichen
        Fehlgeschlagene Anmeldungen aus dem Ausland auswerten
        Notfallkonten prüfen und versiegelt ablegen""",
    ),
    _check(
        "m365 | Microsoft 365: Sicherheit und Lizenzen | Microsoft 365 | Microsoft 365 | FREQ=MONTHLY;BYDAY=2MO | 30",
        "Der Mandant in der Cloud wird nicht von selbst gepflegt.",
        """Sicherheitsbewertung und neue Empfehlungen durchsehen
        Weiterleitungen und Regeln in Postfächern auf Missbrauch prüfen
        Externe Freigaben und Gäste durchsehen
        Zugewiesene Lizenzen mit den benötigten abgleichen""",
        Reading("bewertung", "Sicherheitsbewertung", "%"),
    ),
    _check(
        "mail_security | Spam- und Mailschutz | E-Mail | E-Mail | FREQ=MONTHLY;BYDAY=3MO | 20",
        "Die heimtückische E-Mail ist der häufigste Weg hinein.",
        """Quarantäne und Fehlfilterungen auswerten
        SPF, DKIM und DMARC der Domänen prüfen
        Sperr- und Freigabelisten durchsehen
        Zustellbarkeit (Sperrlisten) prüfen""",
    ),
    _check(
        "mail_archive | Mail-Archiv: Stichprobe | E-Mail | E-Mail | FREQ=MONTHLY;BYMONTHDAY=20 | 20",
        "Geschäftliche E-Mails sind aufzubewahren; das Archiv muss sie wirklich enthalten.",
        """Drei Mails des Vormonats im Archiv suchen und öffnen
        Neue Postfächer auf Archivierung prüfen
        Speicherplatz und Aufbewahrungsfrist des Archivs prüfen""",
    ),
    _check(
        "certificates | Ablauf von Zertifikaten und Domänen | Netzwerk | Netzwerk | FREQ=MONTHLY;BYMONTHDAY=1 | 15",
        "Ein abgelaufenes Zertifikat legt Mail, VPN oder Internetseite still.",
        """Zertifikate mit Ablauf in den nächsten 60 Tagen suchen
        Domänen und ihre Verlängerung prüfen
        Token und Schlüssel von Schnittstellen prüfen""",
        Reading("naechster_ablauf", "Nächster Ablauf"),
    ),
    _check(
        "network_firmware | Switch- und WLAN-Firmware | Netzwerk | Netzwerk | FREQ=MONTHLY;INTERVAL=6;BYDAY=2TU | 60",
        "Auch Netzwerkgeräte haben Lücken, und niemand denkt an sie.",
        """Konfigurationen sichern
        Firmware vergleichen und im Fenster aktualisieren
        Fehlerzähler und ausgelastete Verbindungen prüfen
        Unbekannte Geräte im Netz und im WLAN suchen""",
    ),
    _check(
        "wifi | WLAN: Abdeckung und Gastnetz | Netzwerk | WLAN | FREQ=YEARLY;BYMONTH=5;BYDAY=2WE | 60",
        "Gebäude, Geräte und Gewohnheiten ändern sich, das Funknetz bleibt.",
        """Abdeckung an den vereinbarten Orten messen
        Trennung von Gast- und Firmennetz prüfen
        Kennwort des Gastnetzes wechseln""",
    ),
    _check(
        "ups | USV-Selbsttest | Hardware | Server | FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1 | 20",
        "Batterien altern still; der Stromausfall zeigt es zu spät.",
        """Selbsttest auslösen und Ergebnis lesen
        Restlaufzeit und Last prüfen
        Alter der Batterien prüfen
        Geordnetes Herunterfahren der Server prüfen""",
        Reading("laufzeit", "Restlaufzeit unter Last", "min"),
        Reading("last", "Last", "%"),
    ),
    _check(
        "server_room | Klima und Staub im Serverraum | Hardware | Server | FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=30 | 30",
        "Wärme und Staub verkürzen das Leben jeder Hardware.",
        """Temperatur und Feuchte lesen
        Filter, Lüfter und Gehäuse reinigen
        Verkabelung, Beschriftung und Brandlasten ansehen
        Zutritt und Schließung prüfen""",
        Reading("temperatur", "Temperatur", "°C"),
    ),
    _check(
        "hardware_age | Garantie und Lebensalter der Hardware | Hardware | Dokumentation"
        " | FREQ=YEARLY;BYMONTH=1;BYDAY=3TU | 45",
        "Wer das Ende der Garantie kennt, plant den Austausch statt den Ausfall.",
        """Geräte mit Garantieende in den nächsten zwölf Monaten auflisten
        Geräte älter als fünf Jahre auflisten
        Vorschlag zum Austausch an die Kundenbetreuung geben""",
    ),
    _check(
        "licences | Lizenzen und Wartungsverträge | Beratung | Dokumentation | FREQ=MONTHLY;INTERVAL=6;BYDAY=1TU | 45",
        "Abgelaufene Lizenzen fallen im Betrieb auf, fehlende bei der Prüfung durch den Hersteller.",
        """Eingesetzte mit erworbenen Lizenzen abgleichen
        Ablaufdaten der nächsten sechs Monate auflisten
        Wartungsverträge der Fachanwendungen prüfen""",
    ),
    _check(
        "monitoring | Überwachung: Messpunkte prüfen | Überwachung | Monitoring | FREQ=MONTHLY;INTERVAL=3;BYDAY=2FR | 30",
        "Neue Geräte stehen nicht von selbst in der Überwachung.",
        """Überwachte Geräte mit dem Bestand abgleichen
        Abgeschaltete und stumme Messpunkte klären
        Schwellwerte und Empfänger der Meldungen prüfen
        Probemeldung auslösen und ihren Weg verfolgen""",
    ),
    _check(
        "monitoring_report | Monatsbericht Überwachung | Überwachung | Monitoring | FREQ=MONTHLY;BYMONTHDAY=-1 | 15",
        "Verfügbarkeit und Vorfälle eines Monats auf einen Blick.",
        """Verfügbarkeit und Vorfälle des Monats auswerten
        Auffälligkeiten und Empfehlungen festhalten
        Bericht an den Ansprechpartner geben""",
    ),
    _check(
        "emergency_plan | Notfallhandbuch durchsehen | Beratung | Dokumentation | FREQ=YEARLY;BYMONTH=10;BYDAY=2MO | 60",
        "Im Notfall zählt, was aktuell auf Papier steht.",
        """Ansprechpartner und Rufnummern prüfen
        Wiederanlauf der wichtigsten Systeme durchgehen
        Ausgedruckte Fassung ersetzen
        Ablage außer Haus prüfen""",
    ),
    _check(
        "documentation | Netz- und Kontendokumentation aktualisieren | Beratung | Dokumentation "
        "| FREQ=MONTHLY;INTERVAL=6;BYDAY=3TH | 60",
        "Wer vertreten soll, braucht eine Dokumentation, die stimmt.",
        """Netzplan und Adressbereiche abgleichen
        Neue und entfallene Geräte nachtragen
        Zugangsdaten im Tresor stichprobenweise prüfen""",
    ),
    _check(
        "line_of_business | Fachanwendung und Datenbank | Fachanwendung | Fachanwendung"
        " | FREQ=MONTHLY;INTERVAL=3;BYDAY=3MO | 45",
        "Die Fachanwendung ist der Betrieb; ihre Datenbank wächst, bis sie stehen bleibt.",
        """Stand der Fachanwendung mit dem des Herstellers vergleichen
        Größe und Prüflauf der Datenbank ansehen
        Eigene Sicherung der Datenbank prüfen
        Schnittstellen und geplante Aufgaben prüfen""",
    ),
    _check(
        "telephony | Telefonanlage und Notruf | Telefonie | Telefonie | FREQ=MONTHLY;INTERVAL=6;BYDAY=2WE | 30",
        "Der Notruf und die Ansage der Feiertage fallen erst auf, wenn sie falsch sind.",
        """Sicherung und Stand der Anlage prüfen
        Notruf mit Standort prüfen
        Rufumleitungen, Ansagen und Zeiten durchsehen""",
    ),
    _check(
        "printers | Druckerzähler und Verschleißteile | Drucker | Drucker | FREQ=MONTHLY;BYMONTHDAY=-1 | 15",
        "Zählerstände für die Abrechnung, Verschleißteile vor dem Stillstand.",
        """Zählerstände ablesen
        Toner, Trommeln und Wartungssätze prüfen
        Fehlerlisten der Geräte ansehen""",
        Reading("seiten", "Seiten gesamt", "Seiten"),
    ),
    _check(
        "emergency_drill | Wiederanlauf proben | Sicherung | Virtualisierung | FREQ=YEARLY;BYMONTH=11;BYDAY=2TH | 240",
        "Nur ein geprobter Wiederanlauf hält die Zeit, die man sich vorgenommen hat.",
        """Einen Server aus der Sicherung in abgeschotteter Umgebung starten
        Anmeldung und Fachanwendung prüfen
        Dauer mit der vereinbarten Wiederanlaufzeit vergleichen
        Erkenntnisse ins Notfallhandbuch übernehmen""",
        Reading("wiederanlauf", "Dauer bis zum Betrieb", "min"),
    ),
    _check(
        "awareness | Unterweisung der Mitarbeiter zu E-Mail-Angriffen | Sicherheit | Arbeitsplatz "
        "| FREQ=YEARLY;BYMONTH=2;BYDAY=3WE | 90",
        "Technik hält viel ab; den Rest entscheidet, wer klickt.",
        """Unterweisung halten oder Lernbaustein zuweisen
        Teilnehmerliste ablegen
        Übungsmail auswerten""",
    ),
)
