import com.azure.cosmos.CosmosClient;
import com.azure.cosmos.CosmosClientBuilder;
import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.CosmosDatabase;
import com.azure.cosmos.CosmosException;
import com.azure.cosmos.GatewayConnectionConfig;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;

/** What the checks share: a database of their own, the ends of a check, and the doors that the emulator opens. */
final class Shop implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> PARTS = parts();

    final CosmosClient client = connect();
    final CosmosDatabase database;

    Shop(String name) {
        String id = "java-" + name + "-" + UUID.randomUUID();
        client.createDatabaseIfNotExists(id);
        database = client.getDatabase(id);
    }

    static CosmosClientBuilder builder() {
        return new CosmosClientBuilder().endpoint(PARTS.get("AccountEndpoint")).key(PARTS.get("AccountKey"))
            .gatewayMode(new GatewayConnectionConfig()).contentResponseOnWriteEnabled(true);
    }

    static CosmosClient connect() {
        return builder().buildClient();
    }

    private static Map<String, String> parts() {
        Map<String, String> parts = new HashMap<>();
        for (String part : System.getenv("SYNCSCOPE_COSMOS").split(";")) {
            int at = part.indexOf('=');
            if (at > 0) parts.put(part.substring(0, at), part.substring(at + 1));
        }
        return parts;
    }

    CosmosContainer container(String name) {
        return container(new CosmosContainerProperties(name, "/id"));
    }

    CosmosContainer container(CosmosContainerProperties properties) {
        database.createContainerIfNotExists(properties);
        return database.getContainer(properties.getId());
    }

    /** A JSON object written with single quotes. */
    static JsonNode json(String text, Object... values) {
        try {
            return JSON.readTree(String.format(text, values).replace('\'', '"'));
        } catch (java.io.IOException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    /** Runs a check: one line for it, and the end of the process if it fails. */
    static void check(String name, Callable<String> body) {
        long began = System.nanoTime();
        try {
            String found = body.call();
            long took = (System.nanoTime() - began) / 1_000_000;
            System.err.printf("ok   java: %s (%s%d ms)%n", name, found.isEmpty() ? "" : found + ", ", took);
        } catch (Throwable e) {
            System.err.println("FAIL java: " + name);
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    static void same(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError("\n  found    " + found + "\n  expected " + expected);
        }
    }

    /** The call is refused with this status. */
    static void refused(int status, Runnable call) {
        try {
            call.run();
        } catch (CosmosException e) {
            same(e.getStatusCode(), status);
            return;
        }
        throw new AssertionError("not refused with " + status);
    }

    static void until(String what, Callable<Boolean> holds) throws Exception {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!holds.call()) {
            if (System.nanoTime() > end) throw new AssertionError("never: " + what);
            Thread.sleep(50);
        }
    }

    static void split(String database, String container, int range) {
        control("split", "{'database':'%s','container':'%s','range':%d}", database, container, range);
    }

    static void merge(String database, String container, int left, int right) {
        control("merge", "{'database':'%s','container':'%s','ranges':[%d,%d]}", database, container, left, right);
    }

    private static void control(String path, String body, Object... values) {
        // http is served beside https on the same port.
        URI uri = URI.create(PARTS.get("AccountEndpoint").replace("https:", "http:") + "_emulator/" + path);
        HttpRequest request = HttpRequest.newBuilder(uri).header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json(body, values).toString())).build();
        try {
            HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) throw new IllegalStateException(path + ": " + answer.body());
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(path, e);
        }
    }

    @Override
    public void close() {
        database.delete();
        client.close();
    }
}
