"""The customers: who they are, where they sit, who speaks for them, how much work they need in August, September, October.

People are written `f Petra Überholz MIR/a@SITE`: f or m, names, functions (M main, R service_report, I invoice, C ticket_created,
S ticket_status, K credential_release), portal level (a admin, i insight, r reporter), site.
Sites are written `code;name;street;postal code;city;travel price;bills to;goods;services`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """One customer. `hours` are the billed hours aimed at per month; `days` are special dates of the story."""

    number: str
    name: str
    short: str
    domain: str
    address: tuple[str, str, str]
    software: str
    pcs: int
    hours: tuple[float, float, float]
    people: tuple[str, ...]
    house_site: str = "KOE"
    manager: str = "Corinna Feldhüter"
    delivery: str = "post"
    billing: str = "central"
    sites: tuple[str, ...] = ()
    datev: str = ""
    payment_days: str = ""
    mandate: str = ""
    hour_price: str = "112.00"
    day_price: str = "860.00"
    travel_price: str = "39.00"
    after: str = "50"
    weekend: str = "100"
    backup: str = "customer"
    newer_price: str = ""
    agreement: bool = True
    invoice_email: bool = False
    on_site: float = 0.22
    free: float = 0.07
    late: int = 0
    unapproved: int = 0
    days: tuple[str, ...] = ()
    since: str = "2019-04-01"


R = "Rasmus Thorvaldsen"
CLIENTS: tuple[Client, ...] = (
    Client(
        "K1001", "Tischlerei Überholz GmbH", "UEB", "ueberholz", ("Sägewerkstraße 4", "51503", "Rösrath"), "HolzPlan", 7, (6, 8, 7),
        ("f Petra Überholz MIRK/a", "m Ansgar Überholz /r"), manager=R, late=2, since="2011-03-14",
    ),
    Client(
        "K1002", "Steuerkanzlei Öztürk & Śliwiński PartG mbB", "OEZ", "oeztuerk-sliwinski", ("Kontoweg 17", "50667", "Köln"),
        "KanzleiWerk", 14, (10, 8, 12), ("f Nilgün Öztürk MK/a", "m Łukasz Śliwiński R/i", "f Annegret Pütz ICS/r"),
        delivery="email_einvoice", datev="1031337", invoice_email=True, hour_price="118.00", since="2014-07-01",
        days=("2026-09-09 after_hours", "2026-10-07 after_hours"),
    ),
    Client(
        "K1003", "Bäckerei Krümelmann oHG", "KRU", "kruemelmann", ("Mehlgasse 1", "51465", "Bergisch Gladbach"), "BackKasse", 11,
        (11, 12, 12), ("m Hannes Krümelmann MI/i", "f Elfi Krümelmann RC/r", "f Dörthe Kloß /r@REF"), house_site="BGL", manager=R,
        on_site=0.4, sites=(
            "REF;Filiale Refrath;Dolmanplatz 3;51427;Bergisch Gladbach;35.00;;yes;yes",
            "BEN;Filiale Bensberg;Am Schlosshang 22;51429;Bergisch Gladbach;35.00;;yes;yes",
            "ODE;Filiale Odenthal;Mühlenzeile 9;51519;Odenthal;45.00;;yes;yes",
            "KUE;Filiale Kürten;Hofladenweg 2;51515;Kürten;49.00;;no;yes",
            "BST;Backstube;Ofenstraße 40;51469;Bergisch Gladbach;0.00;;yes;yes",
        ), since="2009-10-01", late=1,
    ),
    Client(
        "K1004", "Autohaus Grünewald & Söhne KG", "GRW", "autohaus-gruenewald", ("Kolbenring 88", "51491", "Overath"), "WerkstattPro",
        18, (16, 14, 18),
        ("m Eckart Grünewald MI/a", "f Solveig Grünewald R/i", "m Milan Hrdlička RI/r@LIN", "f Jule Äckerle R/r@ENG"),
        billing="per_site", house_site="GUM", manager=R, on_site=0.35, hour_price="109.00", sites=(
            "ZEN;Stammhaus Overath;Kolbenring 88;51491;Overath;42.00;;yes;yes",
            "LIN;Betrieb Lindlar;Ventilstraße 5;51789;Lindlar;45.00;LIN;yes;yes",
            "ENG;Betrieb Engelskirchen;Getriebegasse 11;51766;Engelskirchen;48.00;LIN;yes;yes",
            "LAC;Lackierzentrum;Farbnebel 2;51491;Overath;42.00;;no;yes",
        ), days=("2026-10-10 weekend",), since="2012-01-15",
    ),
    Client(
        "K1005", "Gemeinde Wiehlbrück", "GWB", "wiehlbrueck", ("Rathausplatz 1", "51674", "Wiehl"), "AmtsAkte", 26, (14, 12, 16),
        ("m Burkhard Tönnesmann MK/a", "f Ragnhild Oßenbrügge RI/i", "m Pascal Dünnebier CS/r"), delivery="xrechnung",
        house_site="GUM", manager=R, payment_days="30", hour_price="99.00", day_price="760.00", travel_price="45.00",
        invoice_email=True, on_site=0.3, since="2016-11-01", days=("2026-10-14 project_day", "2026-10-15 project_day"),
    ),
    Client(
        "K1006", "Zahnarztpraxis Dr. Ægidius Nyström", "NYS", "praxis-nystroem", ("Backenzahnallee 32", "51373", "Leverkusen"),
        "DentaKartei", 8, (5, 5, 5), ("m Ægidius Nyström MIK/i", "f Gesa Löhr RC/r"), house_site="BGL", since="2018-02-01",
    ),
    Client(
        "K1007", "Orchideen van der Poel e. K.", "POE", "orchideen-vanderpoel", ("Treibhausweg 77", "50321", "Brühl"), "FloraFakt", 5,
        (5, 4, 6), ("m Joris van-der-Poel MRI/i",), travel_price="", on_site=0.6, manager=R, since="2021-05-10",
        days=("2026-10-08 on_site", "2026-10-21 on_site"),
    ),
    Client(
        "K1008", "Kunstverein „Die Blaue Tür“ e. V.", "KBT", "blaue-tuer", ("Hinterhof 3 b", "50674", "Köln"), "VereinsMappe", 3,
        (2, 1.5, 2), ("f Seraphine Löwenzahn MR/r",), free=1.0, hour_price="89.00", since="2022-06-01",
    ),
    Client(
        "K1009", "Metallbau Çelik GmbH", "CEL", "metallbau-celik", ("Schweißbogen 15", "53840", "Troisdorf"), "StahlAuftrag", 6,
        (0, 3, 5), ("m Orhan Çelik MRI/none",), house_site="SIE", manager=R, agreement=False, since="2026-09-07",
    ),
    Client(
        "K1010", "Fahrschule Rückenwind UG (haftungsbeschränkt)", "RUE", "fahrschule-rueckenwind", ("Rechtsvorlinks 9", "53721", "Siegburg"),
        "FahrPlaner", 4, (3, 3, 4), ("f Kirsten Quast C/r",), house_site="SIE", manager=R, since="2023-01-09",
    ),
    Client(
        "K1011", "Architekten Ñandú + Weiß PartmbB", "NAN", "nandu-weiss", ("Grundrissstraße 60", "50823", "Köln"), "PlanTisch", 12,
        (7, 6, 8), ("f Inés Ñandú MIK/i", "m Thorben Weiß C/r"), delivery="email_einvoice", since="2017-09-01", late=1,
    ),
    Client(
        "K1012", "Spedition Järvinen Logistik GmbH", "JAE", "jaervinen-logistik", ("Rampe 7", "51149", "Köln"), "TourenBlick", 22,
        (16, 16, 19), ("f Päivi Järvinen MK/a", "m Detlef Schnüll RI/i", "m Aziz Boukhari CS/r"), after="60", weekend="110",
        mandate="core", newer_price="119.00", since="2010-06-01", manager=R,
        days=("2026-08-13 after_hours", "2026-08-22 weekend", "2026-09-17 after_hours", "2026-10-01 after_hours",
              "2026-10-03 weekend", "2026-10-20 after_hours", "2026-10-24 weekend"),
    ),
    Client(
        "K1013", "Hotel Zum Goldenen Äffchen GmbH", "AEF", "goldenes-aeffchen", ("Bananenplatz 2", "53604", "Bad Honnef"), "GastBett", 15,
        (8, 7, 9), ("m Balthasar Zwingli-Öhme MI/i", "f Ruxandra Popa R/r"), house_site="SIE", travel_price="55.00", on_site=0.35,
        since="2015-05-01", days=("2026-08-29 weekend", "2026-10-11 weekend"),
    ),
    Client(
        "K1014", "Buchhandlung Eselsohr, Inh. Maja Żuławska e. K.", "ESE", "eselsohr", ("Lesezeichen 14", "51643", "Gummersbach"),
        "BuchLaden", 4, (3, 3, 4), ("f Maja Żuławska MRI/i",), house_site="GUM", unapproved=2, since="2020-08-01",
    ),
    Client(
        "K1015", "Ingenieurbüro O’Leary-Schößler", "OLS", "oleary-schoessler", ("Statikergasse 21", "50354", "Hürth"), "StatikRechner", 13,
        (22, 14, 20), ("m Fionn O’Leary MK/a", "f Ulrike Schößler RI/i"), delivery="email_einvoice", invoice_email=True,
        hour_price="121.00", day_price="920.00", since="2019-12-01", late=1,
        days=("2026-08-18 project_day", "2026-08-19 project_day", "2026-10-27 project_day", "2026-10-28 half_project_day"),
    ),
    Client(
        "K1016", "Maschinenfabrik Böllinghaus GmbH & Co. KG", "BOE", "boellinghaus", ("Fräserstraße 100", "51688", "Wipperfürth"),
        "TaktGeber", 34, (20.5, 20, 23), ("m Reinhold Böllinghaus M/i", "m Jürgen Stüwe RCK/a", "f Hatice Aksoy-Kühn IS/r"),
        house_site="GUM", manager=R, travel_price="59.00", on_site=0.3, delivery="email_einvoice", since="2008-02-01",
        days=("2026-09-24 after_hours", "2026-10-13 after_hours"),
    ),
    Client(
        "K1017", "Logopädiezentrum Sprechlust GbR", "SPR", "sprechlust", ("Zungenschlag 6", "50931", "Köln"), "TherapieKalender", 9,
        (5.5, 6, 10.5), ("f Malin Brüggestrat MIR/i",), since="2021-10-01", free=0.05,
    ),
    Client(
        "K1018", "Immobilienverwaltung Goldgräber AG", "GOL", "goldgraeber-immo", ("Schlüsselbund 8", "50996", "Köln"), "MietKonto", 20,
        (4, 3, 5), ("f Dr. Theodora Goldgräber M/i", "m Sönke Lührs RIC/a"), delivery="email_einvoice", mandate="b2b", since="2017-01-01",
    ),
    Client(
        "K1019", "Kieferorthopädie am Sülzufer Dr. Żeleńska", "ZEL", "kfo-suelzufer", ("Uferpfad 3", "51503", "Rösrath"), "DentaKartei", 9,
        (4, 5, 8), ("f Agnieszka Żeleńska MIK/i", "f Svenja Nörtemann RC/r"), since="2022-03-01",
    ),
    Client(
        "K1020", "Druckerei Gutenfels KG", "GUT", "gutenfels-druck", ("Letterngang 30", "51465", "Bergisch Gladbach"), "DruckAuftrag", 12,
        (10, 9.5, 9), ("m Volkmar Gutenfels MIR/i", "f Xenia Brückner CS/r"), house_site="BGL", since="2013-01-01", on_site=0.3,
    ),
    Client(
        "K1021", "Yachtschule Windgefühl GmbH", "YAC", "windgefuehl", ("Hafenmole 5", "50996", "Köln"), "KursBuch", 5, (3, 4, 3),
        ("m Käpt’n Ole Brüning MR/i", "f Wiebke Möhle I/r"), since="2020-04-01",
    ),
    Client(
        "K1022", "Sanitätshaus Wohlgemuth GmbH", "WOH", "wohlgemuth", ("Krückenweg 12", "53721", "Siegburg"), "RezeptEinfach", 17,
        (13, 15, 14), ("f Irmgard Wohlgemuth MI/i", "m Yannick Großeschmidt RC/a", "f Bärbel Pöppelmann /r@TRO"), house_site="SIE",
        on_site=0.5, mandate="core", sites=(
            "TRO;Filiale Troisdorf;Bandagenplatz 4;53840;Troisdorf;42.00;;yes;yes",
            "HEN;Filiale Hennef;Einlagenweg 18;53773;Hennef;45.00;;yes;yes",
        ), since="2016-04-01", late=1,
    ),
    Client(
        "K1023", "Patentanwälte Zürn Quisthoudt & Partner mbB", "ZUE", "zuern-quisthoudt", ("Erfinderhof 1", "50668", "Köln"),
        "SchutzrechtAkte", 16, (8, 9, 10), ("m Dr. Leopold Zürn MK/a", "f Marguerite Quisthoudt RI/i"), delivery="email_einvoice",
        hour_price="125.00", on_site=0.1, since="2018-09-01",
    ),
    Client(
        "K1024", "Kita-Verbund Regenbogenfisch e. V.", "KIT", "regenbogenfisch", ("Flossenweg 20", "51149", "Köln"), "KitaKonto", 14,
        (8, 8.5, 7), ("f Tülin Schmücker MI/i", "m Falk Özdemir RC/r"), on_site=0.4, sites=(
            "MOE;Kita Möwennest;Sandkastenstraße 2;51147;Köln;35.00;;yes;yes",
            "IGE;Kita Igelbau;Laubhaufen 8;51109;Köln;35.00;;yes;yes",
            "GLU;Kita Glühwürmchen;Abendlicht 17;51107;Köln;35.00;;yes;yes",
            "FUE;Kita Füchslein;Am Bau 44;51145;Köln;35.00;;no;yes",
        ), since="2019-08-01",
    ),
    Client(
        "K1025", "Bauunternehmung Hövelmann GmbH", "HOV", "hoevelmann-bau", ("Kranführerstraße 55", "51643", "Gummersbach"), "BauKalkül", 21,
        (12, 11, 14), ("m Ludger Hövelmann MI/a", "f Christel Düsterloh R/i", "m Kjell Sørensen RI/r@NUE"), billing="per_site",
        house_site="GUM", manager=R, on_site=0.35, sites=(
            "BHF;Bauhof Waldbröl;Schotterweg 1;51545;Waldbröl;62.00;;yes;yes",
            "NUE;Niederlassung Nümbrecht;Estrichring 13;51588;Nümbrecht;55.00;NUE;yes;yes",
        ), since="2014-01-01",
    ),
    Client(
        "K1026", "Physiotherapie Rückgrat GbR", "RUG", "physio-rueckgrat", ("Wirbelweg 33", "50321", "Brühl"), "PraxisPuls", 10,
        (7, 8, 8), ("m Arne Knöchel MI/i", "f Lotte Kniebrecht RI/r@BRU", "f Smilla Bänder RI/r@BON"), billing="per_site", on_site=0.3,
        sites=(
            "BRU;Praxis Brühl;Wirbelweg 33;50321;Brühl;39.00;BRU;yes;yes",
            "BON;Praxis Bonn;Bandscheibe 4;53111;Bonn;55.00;BON;yes;yes",
        ), since="2021-01-01",
    ),
    Client(
        "K1027", "Elektro Blitzmeier GmbH", "BLI", "elektro-blitzmeier", ("Stromkreis 19", "53797", "Lohmar"), "HandwerkOrdner", 12,
        (12.5, 11.5, 12), ("m Gernot Blitzmeier MIR/i", "f Anouk Wechsel CS/r"), house_site="SIE", manager=R, since="2017-03-01",
    ),
    Client(
        "K1028", "Weingut Rebenglück GbR", "REB", "rebenglueck", ("Steillage 2", "53639", "Königswinter"), "KellerBuch", 6, (6, 7, 6),
        ("f Adelheid Rebenglück MRI/i", "m Korbinian Rebenglück /r"), house_site="SIE", manager=R, travel_price="52.00", since="2018-05-01",
    ),
    Client(
        "K1029", "Notariat Dr. Xylander & Şahin", "XYL", "notariat-xylander", ("Siegelgasse 7", "50667", "Köln"), "UrkundenRolle", 11,
        (8, 9, 9), ("m Dr. Clemens Xylander MK/i", "f Ebru Şahin RI/a"), delivery="email_einvoice", late=2, since="2015-10-01",
    ),
    Client(
        "K1030", "Stiftung Haus Morgenröte", "MOR", "haus-morgenroete", ("Lichtblick 40", "51519", "Odenthal"), "SpendenBuch", 7, (3, 4, 0),
        ("f Schwester Hildegundis Æbersold MRI/i",), house_site="BGL", since="2016-01-01",
    ),
    Client(
        "K1031", "Werbeagentur Klecks & Töchter GmbH", "KLE", "klecks-toechter", ("Farbtopf 11", "50672", "Köln"), "AgenturTakt", 13,
        (10, 9, 14), ("f Ottilie Klecks M/a", "f Freya Klecks RIC/i"), delivery="email_einvoice", since="2020-02-01", free=0.05,
        days=("2026-10-22 project_day",),
    ),
    Client(
        "K1032", "Steuerberatung Nordmann-Gökçe StB GmbH", "NOR", "nordmann-goekce", ("Bilanzallee 5", "51373", "Leverkusen"), "KanzleiWerk",
        15, (12, 12, 14), ("f Silke Nordmann-Gökçe MK/a", "m Ferdi Gökçe RI/i", "f Wencke Tietjen CS/r"), house_site="BGL",
        datev="2044170", mandate="core", delivery="email_einvoice", since="2013-07-01",
        days=("2026-08-26 after_hours", "2026-10-06 after_hours", "2026-10-17 weekend"),
    ),
    Client(
        "K1033", "Pflegedienst Herzenswärme GmbH", "HER", "herzenswaerme", ("Sonnenbank 16", "53819", "Neunkirchen-Seelscheid"), "PflegeTour",
        19, (11, 10, 12), ("f Gönül Wärmer MI/a", "m Hauke Fröhlich RC/i"), house_site="SIE", mandate="core", since="2019-06-01",
        backup="house",
    ),
    Client(
        "K1034", "Brauerei Sünnerhof KG", "SUE", "suennerhof", ("Hopfengrund 1", "51674", "Wiehl"), "SudHaus", 16, (10, 11, 12),
        ("m Korbinian Sünner MI/i", "f Apollonia Sünner RK/a"), house_site="GUM", manager=R, mandate="b2b", on_site=0.35, sites=(
            "BRA;Brauhaus;Hopfengrund 1;51674;Wiehl;45.00;;yes;yes",
            "AUS;Ausschank Gummersbach;Zapfhahn 9;51643;Gummersbach;39.00;;yes;yes",
        ), since="2017-05-01", backup="house",
    ),
    Client(
        "K1035", "Kfz-Prüfstelle Rhein-Sülz GmbH", "KFZ", "pruefstelle-rheinsuelz", ("Plakettenstraße 24", "51147", "Köln"), "HauptPrüf", 9,
        (9, 8, 10), ("m Wulf Gründlich MRI/i", "f Tabea Ölkers CS/r"), mandate="core", since="2020-07-01", backup="house",
    ),
    Client(
        "K1036", "Modehaus Chérie Lévêque e. K.", "CHE", "cherie-leveque", ("Nähseidenweg 3", "53111", "Bonn"), "LadenKasse", 11, (8, 7, 8),
        ("f Geneviève Lévêque MI/i", "m Bo Åkesson RC/r"), house_site="SIE", mandate="core", since="2021-09-01",
    ),
    Client(
        "K1037", "Wirtschaftsprüfung Ähnlich & Genau GmbH WPG", "AEG", "aehnlich-genau", ("Stichprobe 2", "50668", "Köln"), "PrüfMappe", 18,
        (9, 9, 10), ("m Dr. Roderich Ähnlich MK/a", "f Konstanze Genau RI/i"), datev="3001044", mandate="b2b", delivery="email_einvoice",
        invoice_email=True, since="2018-01-01", backup="house",
    ),
    Client(
        "K1038", "Lohnbüro Zahltag UG (haftungsbeschränkt)", "ZAH", "lohnbuero-zahltag", ("Ultimostraße 31", "50354", "Hürth"), "LohnLauf",
        6, (5, 5, 6), ("f Zoë Dreißig MRIK/a",), datev="4150031", mandate="core", since="2022-01-01", backup="house",
    ),
    Client(
        "K1039", "Rechtsanwälte Füßli Hübscher PartG mbB", "FUE", "fuessli-huebscher", ("Paragrafenplatz 8", "53113", "Bonn"), "MandatAkte",
        13, (9, 10, 10), ("m Urs Füßli M/a", "f Katharina Hübscher RIK/i"), house_site="SIE", mandate="core", delivery="email_einvoice",
        since="2019-02-01", unapproved=2, backup="house",
    ),
    Client(
        "K1040", "Großhandel Mañana Feinkost GmbH", "MAN", "manana-feinkost", ("Olivenhain 70", "50735", "Köln"), "WarenLauf", 20,
        (12, 12, 14), ("f Carmen Núñez-Bürger MI/a", "m Egbert Süßkind RC/i"), mandate="b2b", manager=R, since="2016-06-01",
        days=("2026-10-23 after_hours",), backup="house",
    ),
    Client(
        "K1041", "Tierarztpraxis Pfötchen Dr. Grünspan", "PFO", "praxis-pfoetchen", ("Körbchenweg 14", "51789", "Lindlar"), "TierKartei", 7,
        (5, 6, 6), ("f Dr. Rosalie Grünspan MIR/i", "m Timo Schnäuzer C/r"), house_site="GUM", manager=R, since="2021-11-01", unapproved=2,
    ),
    Client(
        "K1042", "St.-Sebastianus-Schützenbruderschaft Unterheide 1848 e. V.", "SEB", "schuetzen-unterheide",
        ("Vogelstange 1", "51570", "Windeck"), "VereinsMappe", 2, (1.5, 2, 2), ("m Heinz-Günther Pfläging MRI/none",), house_site="SIE",
        manager=R, travel_price="65.00", hour_price="95.00", since="2023-05-01",
    ),
    Client(
        "K1043", "Möbelhaus Großmann & Co. KG", "GRO", "moebel-grossmann", ("Schrankwand 200", "51373", "Leverkusen"), "MöbelPlaner", 36,
        (18, 17, 20), ("m Eugen Großmann M/i", "f Ljudmila Weßling RCK/a", "m Till Überschär I/none"), house_site="BGL", billing="per_site",
        on_site=0.35, newer_price="116.00", sites=(
            "LEV;Stammhaus Leverkusen;Schrankwand 200;51373;Leverkusen;45.00;;yes;yes",
            "KOE;Küchenwelt Köln;Arbeitsplatte 12;51149;Köln;35.00;;yes;yes",
            "LAG;Zentrallager Rösrath;Palettenweg 6;51503;Rösrath;35.00;LEV;yes;yes",
        ), since="2012-09-01", unapproved=3, days=("2026-10-02 on_site",),
    ),
    Client(
        "K1044", "Solartechnik Sonnenäcker GmbH", "SOL", "sonnenaecker", ("Modulfeld 9", "53773", "Hennef"), "DachPlan", 12, (7, 8, 9),
        ("f Birte Sonnenäcker MI/a", "m Çetin Strahlmann RC/i"), house_site="SIE", manager=R, delivery="email_einvoice",
        days=("2026-10-12 remote_trip",), since="2024-02-01",
    ),
)  # fmt: skip
BY_NUMBER = {client.number: client for client in CLIENTS}
