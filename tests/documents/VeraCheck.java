import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.validation.profiles.ErrorArgument;
import org.verapdf.pdfa.validation.profiles.ErrorDetails;
import org.verapdf.pdfa.validation.profiles.Profiles;
import org.verapdf.pdfa.validation.profiles.Rule;
import org.verapdf.pdfa.validation.profiles.RuleId;
import org.verapdf.pdfa.validation.profiles.ValidationProfile;
import org.verapdf.pdfa.validation.profiles.Variable;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Checks PDF files with veraPDF's own rules: java -cp JAR VeraCheck.java 3u,ua1 FILE...
 * One line per file and flavour: PASS or FAIL, then the rules that failed. The jar has no JAXB, so the rules are read with DOM.
 */
public class VeraCheck {
    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean allPass = true;
        for (String flavour : args[0].split(",")) {
            ValidationProfile profile = profile(PDFAFlavour.fromString(flavour));
            for (int i = 1; i < args.length; i++) {
                allPass &= check(Path.of(args[i]), flavour, profile);
            }
        }
        System.exit(allPass ? 0 : 1);
    }

    private static boolean check(Path file, String flavour, ValidationProfile profile) throws Exception {
        try (InputStream in = Files.newInputStream(file);
                var parser = Foundries.defaultInstance().createParser(in, profile.getPDFAFlavour())) {
            var result = Foundries.defaultInstance().createValidator(profile, false).validate(parser);
            System.out.println((result.isCompliant() ? "PASS " : "FAIL ") + flavour + " " + file.getFileName());
            Set<String> told = new HashSet<>();
            for (TestAssertion found : result.getTestAssertions()) {
                RuleId id = found.getRuleId();
                if (found.getStatus() == TestAssertion.Status.FAILED && told.add(id.getClause() + "-" + id.getTestNumber())) {
                    System.out.println("  " + id.getClause() + " test " + id.getTestNumber() + ": " + found.getMessage());
                }
            }
            return result.isCompliant();
        }
    }

    private static ValidationProfile profile(PDFAFlavour flavour) throws Exception {
        String name = flavour == PDFAFlavour.PDFUA_1 ? "PDFUA-1.xml" : "PDFA-3U.xml";
        Document xml;
        try (InputStream in = VeraCheck.class.getClassLoader().getResourceAsStream("org/verapdf/pdfa/validation/" + name)) {
            xml = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        }
        Set<Rule> rules = new HashSet<>();
        for (Element rule : children(xml.getDocumentElement(), "rule")) {
            rules.add(rule(rule));
        }
        Set<Variable> variables = new HashSet<>();
        for (Element v : children(xml.getDocumentElement(), "variable")) {
            variables.add(Profiles.variableFromValues(
                v.getAttribute("name"), v.getAttribute("object"), text(v, "defaultValue"), text(v, "value")));
        }
        var details = Profiles.profileDetailsFromValues(name, name, "veraPDF", new Date(0));
        return Profiles.profileFromValues(flavour, details, "", rules, variables);
    }

    private static Rule rule(Element rule) {
        Element id = children(rule, "id").get(0);
        RuleId key = Profiles.ruleIdFromValues(
            PDFAFlavour.Specification.valueOf(id.getAttribute("specification")),
            id.getAttribute("clause"), Integer.parseInt(id.getAttribute("testNumber")));
        Element error = children(rule, "error").get(0);
        List<ErrorArgument> none = new ArrayList<>();
        ErrorDetails details = Profiles.errorFromValues(text(error, "message"), none);
        Boolean deferred = rule.hasAttribute("deferred") ? Boolean.valueOf(rule.getAttribute("deferred")) : null;
        return Profiles.ruleFromValues(
            key, rule.getAttribute("object"), deferred, rule.getAttribute("tags"), text(rule, "description"), text(rule, "test"),
            details, new ArrayList<>());
    }

    private static List<Element> children(Element parent, String name) {
        NodeList found = parent.getElementsByTagName(name);
        List<Element> list = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            list.add((Element) found.item(i));
        }
        return list;
    }

    private static String text(Element parent, String name) {
        List<Element> found = children(parent, name);
        return found.isEmpty() ? "" : found.get(0).getTextContent();
    }
}
