import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.azure.cosmos.models.FeedRange;
import com.azure.cosmos.models.FeedResponse;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.SqlParameter;
import com.azure.cosmos.models.SqlQuerySpec;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;

/** Queries over four partitions; item n has kind n % 3, price n * 7919 % 1000 / 8, width n % 4. */
final class Queries {
    private static final List<String> KINDS = List.of("chair", "table", "lamp");
    private final Shop shop;
    private final CosmosContainer container;

    Queries(Shop shop) {
        this.shop = shop;
        container = shop.container("items");
        for (int n = 0; n < 60; n += 1) container.createItem(item(n));
    }

    private static JsonNode item(int n) {
        String tags = n % 2 == 0 ? "['pine']" : "['oak','t-" + n % 5 + "']";
        String sold = n % 10 == 0 ? ",'sold':" + (n % 20 == 0) : "";
        return Shop.json("{'id':'q-%d','n':%d,'kind':'%s','price':%s,'tags':%s,'size':{'w':%d,'h':%d}%s}",
            n, n, KINDS.get(n % 3), price(n), tags, n % 4, n, sold);
    }

    private static double price(int n) {
        return n * 7919 % 1000 / 8.0;
    }

    void check() {
        Shop.check("parameters of each type, strings in either quote", this::parameters);
        Shop.check("filters: IN, BETWEEN, LIKE, IS_DEFINED, ARRAY_CONTAINS, JOIN", this::filters);
        Shop.check("ORDER BY over partitions: up, down, by two, with a page size", this::orderBy);
        Shop.check("TOP, OFFSET and LIMIT", this::limits);
        Shop.check("aggregates over partitions: COUNT, SUM, AVG, MIN, MAX", this::aggregates);
        Shop.check("GROUP BY over partitions, with aggregates", this::groups);
        Shop.check("DISTINCT: values, objects, ordered", this::distinct);
        Shop.check("pages: each document once; a continuation carried to another query", this::pages);
        Shop.check("by feed range and within one logical partition", this::scopes);
        Shop.check("what is not understood is refused, never silently empty", this::refusals);
    }

    private static CosmosQueryRequestOptions all() {
        return new CosmosQueryRequestOptions();
    }

    private <T> List<T> rows(Class<T> type, String text, Object... parameters) {
        List<SqlParameter> named = new ArrayList<>();
        for (int at = 0; at < parameters.length; at += 2) {
            named.add(new SqlParameter("@" + parameters[at], parameters[at + 1]));
        }
        return container.queryItems(new SqlQuerySpec(text, named), all(), type).stream().toList();
    }

    private List<Integer> numbers(String text, Object... parameters) {
        return rows(Integer.class, text, parameters);
    }

    private List<Integer> where(String filter, Object... parameters) {
        return numbers("SELECT VALUE c.n FROM c WHERE " + filter, parameters).stream().sorted().toList();
    }

    private static List<Integer> expect(java.util.function.IntPredicate holds) {
        return IntStream.range(0, 60).filter(holds).boxed().toList();
    }

    private String parameters() {
        Shop.same(where("c.kind = @kind AND c.n >= @n", "kind", "lamp", "n", 50), List.of(50, 53, 56, 59));
        Shop.same(where("c.sold = @sold", "sold", true), List.of(0, 20, 40));
        Shop.same(where("ARRAY_CONTAINS(@list, c.n)", "list", List.of(3, 5, 99)), List.of(3, 5));
        Shop.same(where("c[\"id\"] = \"q-8\" OR c.id = 'q-9'"), List.of(8, 9));
        return "";
    }

    private String filters() {
        Shop.same(where("c.id IN ('q-1', 'q-2', 'none')"), List.of(1, 2));
        Shop.same(where("c.price BETWEEN 20 AND 40.5"), expect(n -> price(n) >= 20 && price(n) <= 40.5));
        Shop.same(where("c.id LIKE 'q-5%'"), expect(n -> ("q-" + n).startsWith("q-5")));
        Shop.same(where("IS_DEFINED(c.sold) AND NOT c.sold"), expect(n -> n % 20 == 10));
        Shop.same(where("ARRAY_CONTAINS(c.tags, 't-3')"), expect(n -> n % 2 == 1 && n % 5 == 3));
        Shop.same(numbers("SELECT VALUE c.n FROM c JOIN t IN c.tags WHERE c.n < 5").size(), 7);
        return "";
    }

    private String orderBy() {
        List<Double> prices = new ArrayList<>();
        CosmosQueryRequestOptions options = all();
        for (FeedResponse<JsonNode> page : container.queryItems("SELECT * FROM c ORDER BY c.price", options, JsonNode.class).iterableByPage(7)) {
            page.getResults().forEach(item -> prices.add(item.get("price").asDouble()));
        }
        Shop.same(prices, IntStream.range(0, 60).mapToObj(Queries::price).sorted().toList());
        List<Integer> down = expect(n -> n >= 20);
        Shop.same(numbers("SELECT VALUE c.n FROM c WHERE c.n >= 20 ORDER BY c.n DESC"), reversed(down));
        List<Integer> byTwo = new ArrayList<>();
        for (int kind : List.of(0, 2, 1)) byTwo.addAll(reversed(expect(n -> n % 3 == kind)));
        Shop.same(numbers("SELECT VALUE c.n FROM c ORDER BY c.kind ASC, c.n DESC"), byTwo);
        return "";
    }

    private static List<Integer> reversed(List<Integer> list) {
        List<Integer> reversed = new ArrayList<>(list);
        Collections.reverse(reversed);
        return reversed;
    }

    private String limits() {
        Shop.same(numbers("SELECT TOP 5 VALUE c.n FROM c ORDER BY c.n DESC"), List.of(59, 58, 57, 56, 55));
        Shop.same(numbers("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 10 LIMIT 4"), List.of(10, 11, 12, 13));
        Shop.same(new HashSet<>(numbers("SELECT TOP 7 VALUE c.n FROM c")).size(), 7);
        Shop.same(new HashSet<>(numbers("SELECT VALUE c.n FROM c OFFSET 55 LIMIT 10")).size(), 5);
        return "";
    }

    private JsonNode one(String what) {
        List<JsonNode> found = rows(JsonNode.class, "SELECT VALUE " + what);
        Shop.same(found.size(), 1);
        return found.get(0);
    }

    private String aggregates() {
        double[] prices = IntStream.range(0, 60).mapToDouble(Queries::price).toArray();
        Shop.same(one("COUNT(1) FROM c").asInt(), 60);
        Shop.same(one("COUNT(c.sold) FROM c").asInt(), 6);
        Shop.same(one("COUNT(1) FROM c WHERE c.kind = 'none'").asInt(), 0);
        Shop.same(one("SUM(c.n) FROM c").asInt(), 1770);
        Shop.same(one("AVG(c.price) FROM c").asDouble(), Arrays.stream(prices).sum() / 60);
        Shop.same(one("MIN(c.price) FROM c").asDouble(), Arrays.stream(prices).min().getAsDouble());
        Shop.same(one("MAX(c.kind) FROM c").asText(), "table");
        return "";
    }

    private String groups() {
        List<String> found = rows(JsonNode.class,
            "SELECT c.kind, COUNT(1) AS many, SUM(c.n) AS total, MAX(c.n) AS top FROM c GROUP BY c.kind").stream()
            .map(g -> g.get("kind").asText() + " " + g.get("many") + " " + g.get("total").asInt() + " " + g.get("top")).sorted().toList();
        Shop.same(found, List.of("chair 20 570 57", "lamp 20 610 59", "table 20 590 58"));
        List<String> wide = rows(JsonNode.class, "SELECT c.size.w AS w, COUNT(1) AS many FROM c WHERE c.n < 30 GROUP BY c.size.w")
            .stream().map(g -> g.get("w") + " " + g.get("many")).sorted().toList();
        Shop.same(wide, List.of("0 8", "1 8", "2 7", "3 7"));
        return "";
    }

    private String distinct() {
        List<String> kinds = rows(String.class, "SELECT DISTINCT VALUE c.kind FROM c").stream().sorted().toList();
        Shop.same(kinds, List.of("chair", "lamp", "table"));
        Shop.same(rows(JsonNode.class, "SELECT DISTINCT c.kind, c.size.w FROM c").size(), 12);
        Shop.same(numbers("SELECT DISTINCT VALUE c.size.w FROM c ORDER BY c.size.w DESC"), List.of(3, 2, 1, 0));
        return "";
    }

    private String pages() {
        for (String text : List.of("SELECT VALUE c.n FROM c", "SELECT VALUE c.n FROM c ORDER BY c.n")) {
            List<Integer> found = new ArrayList<>();
            String token = null;
            int pages = 0;
            do {
                // Each page by a query of its own that knows only the continuation.
                FeedResponse<Integer> page = container.queryItems(text, all(), Integer.class).iterableByPage(token, 9).iterator().next();
                found.addAll(page.getResults());
                token = page.getContinuationToken();
                pages += 1;
            } while (token != null);
            Shop.same(found.stream().sorted().toList(), expect(n -> true));
            if (text.contains("ORDER")) Shop.same(found, expect(n -> true));
            if (pages < 7) throw new AssertionError(text + ": " + pages + " pages");
        }
        return "";
    }

    private String scopes() {
        List<Integer> found = new ArrayList<>();
        for (FeedRange range : container.getFeedRanges()) {
            CosmosQueryRequestOptions within = all().setFeedRange(range);
            found.addAll(container.queryItems("SELECT VALUE c.n FROM c WHERE c.n >= 0", within, Integer.class).stream().toList());
        }
        Shop.same(found.stream().sorted().toList(), expect(n -> true));
        PartitionKey key = new PartitionKey("q-3");
        CosmosQueryRequestOptions within = all().setPartitionKey(key);
        Shop.same(container.queryItems("SELECT VALUE c.n FROM c", within, Integer.class).stream().toList(), List.of(3));
        Shop.same(container.readAllItems(key, JsonNode.class).stream().count(), 1L);
        return "";
    }

    private String refusals() {
        for (String wrong : List.of("SELECT * FORM c", "SELECT * FROM c WHERE", "SELECT VALUE NOSUCH(c.n) FROM c", "SELECT udf.f(c) FROM c")) {
            Shop.refused(400, () -> rows(JsonNode.class, wrong));
        }
        return "";
    }
}
