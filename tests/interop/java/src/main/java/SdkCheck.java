/** The Cosmos SDK of Java in gateway mode, unmodified, against SYNCSCOPE_COSMOS: documents, queries, feeds. */
public final class SdkCheck {
    public static void main(String[] args) {
        try (Shop shop = new Shop("documents")) {
            new Documents(shop).check();
        }
        try (Shop shop = new Shop("queries")) {
            new Queries(shop).check();
        }
        try (Shop shop = new Shop("feeds")) {
            new Feeds(shop).check();
        }
        System.exit(0);
    }
}
