//! Sample documents in any number, the same for the same seed (and version of this program).

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::scenario::Deed;
use super::template::{Template, TemplateName};
use super::values::Values;

/// A document ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedDocument {
    /// `p-000001`.
    pub id: String,
    /// Compact JSON text, keys in the order of the template, prices with two decimals.
    pub json: String,
}

/// Makes documents by number.
#[derive(Debug, Clone)]
pub struct Generator {
    template: Template,
    seed: u64,
    changes: u64,
}

impl Generator {
    /// Documents of this template; their content follows from the seed.
    pub fn new(template: Template, seed: u64) -> Self {
        Self { template, seed, changes: 0 }
    }

    /// The template in use.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The first version of product `n` (from 1). Does not depend on what was made before.
    pub fn document(&self, n: u64) -> SeedDocument {
        self.version(n, 0)
    }

    /// The next version of product `n`: same id, another price.
    pub fn change(&mut self, n: u64) -> SeedDocument {
        self.changes += 1;
        self.version(n, self.changes)
    }

    /// The next version of product `n` at so many percent off its recommended price.
    pub fn marked_down(&mut self, n: u64, percent: f64) -> SeedDocument {
        self.changes += 1;
        let values = Values::of(self.seed, n, self.changes).marked_down(percent);
        let json = self.template.render(&values);
        SeedDocument { id: values.id, json }
    }

    pub(super) fn values(&self, n: u64) -> Values {
        Values::of(self.seed, n, 0)
    }

    fn version(&self, n: u64, change: u64) -> SeedDocument {
        let values = Values::of(self.seed, n, change);
        let json = self.template.render(&values);
        SeedDocument { id: values.id, json }
    }
}

impl Default for Generator {
    fn default() -> Self {
        Self::new(Template::named(TemplateName::default()), 1)
    }
}

/// Endless gentle traffic: about nine price changes to one new product.
#[derive(Debug, Clone)]
pub struct Traffic {
    generator: Generator,
    rng: StdRng,
    existing: u64,
}

impl Traffic {
    /// Traffic on a source that holds the products `1..=existing`.
    pub fn new(generator: Generator, existing: u64) -> Self {
        let rng = StdRng::seed_from_u64(generator.seed ^ 0x7261_6666_6963);
        Self { generator, rng, existing }
    }

    /// Number of products, new ones included.
    pub fn existing(&self) -> u64 {
        self.existing
    }

    /// The product after the last one.
    pub fn new_product(&mut self) -> SeedDocument {
        self.existing += 1;
        self.generator.document(self.existing)
    }

    /// What a scenario does. `None` where there is no product to do it to.
    pub fn deed(&mut self, deed: Deed) -> Option<SeedDocument> {
        match deed {
            Deed::New => Some(self.new_product()),
            _ if self.existing == 0 => None,
            Deed::Change => {
                let n = self.existing_product();
                Some(self.generator.change(n))
            }
            Deed::MarkDown { product, percent } => {
                Some(self.generator.marked_down(product % self.existing + 1, percent))
            }
            Deed::Same { step } => Some(self.generator.change(step as u64 % self.existing + 1)),
        }
    }

    /// Goes on as if the products `1..=existing` were there.
    pub fn continue_after(&mut self, existing: u64) {
        self.existing = self.existing.max(existing);
    }

    /// Some products change often, as in shops: half of the changes hit a twentieth of them.
    fn existing_product(&mut self) -> u64 {
        let hot = (self.existing / 20).max(1);
        let among = if self.rng.random_bool(0.5) { hot } else { self.existing };
        self.rng.random_range(1..=among)
    }
}

impl Iterator for Traffic {
    type Item = SeedDocument;

    fn next(&mut self) -> Option<SeedDocument> {
        if self.existing == 0 || self.rng.random_bool(0.1) {
            return Some(self.new_product());
        }
        let n = self.existing_product();
        Some(self.generator.change(n))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
        document.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null)
    }

    #[test]
    fn every_template_makes_documents_with_the_fields_it_shows() {
        for name in TemplateName::ALL {
            let generator = Generator::new(Template::named(name), 7);
            for n in 1..=500 {
                let made = generator.document(n);
                let document: Value =
                    serde_json::from_str(&made.json).unwrap_or_else(|e| panic!("{name:?}: {e}"));
                assert_eq!(document["id"], made.id.as_str());
                let [price, currency] = generator.template().display() else { panic!("{name:?}") };
                assert!(at(&document, price).as_f64().unwrap() > 0.0);
                assert_eq!(at(&document, currency).as_str().unwrap().len(), 3);
                assert!((340..=560).contains(&made.json.len()), "{name:?}: {} bytes", made.json.len());
            }
        }
    }

    #[test]
    fn prices_have_two_decimals_and_keys_their_order() {
        let made = Generator::default().document(1);
        assert!(made.json.starts_with("{\"id\":\"p-000001\",\"sku\":\""), "{}", made.json);
        let price = made.json.split("\"current\":").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
        assert_eq!(price.split('.').nth(1).map(str::len), Some(2), "{price}");
    }

    #[test]
    fn content_follows_from_the_seed() {
        let of = |seed| Generator::new(Template::named(TemplateName::Price), seed);
        assert_eq!(of(1).document(42), of(1).document(42));
        assert_ne!(of(1).document(42), of(2).document(42));
        let run = |seed| Traffic::new(of(seed), 100).take(50).collect::<Vec<_>>();
        assert_eq!(run(1), run(1));
    }

    #[test]
    fn a_change_keeps_the_product_and_moves_its_time() {
        let mut generator = Generator::default();
        let first: Value = serde_json::from_str(&generator.document(5).json).unwrap();
        let mut prices = HashSet::new();
        for _ in 0..20 {
            let next: Value = serde_json::from_str(&generator.change(5).json).unwrap();
            for same in ["id", "sku", "name", "market"] {
                assert_eq!(next[same], first[same]);
            }
            assert!(next["updatedAt"].as_str() > first["updatedAt"].as_str());
            assert!(next["price"]["current"].as_f64() <= next["price"]["rrp"].as_f64());
            prices.insert(next["price"]["current"].to_string());
        }
        assert!(prices.len() > 5, "{prices:?}");
    }

    #[test]
    fn traffic_is_mostly_changes() {
        let mut traffic = Traffic::new(Generator::default(), 1_000);
        assert_eq!(traffic.by_ref().take(2_000).count(), 2_000);
        let new = traffic.existing() - 1_000;
        assert!((120..=290).contains(&new), "{new} new of 2000");
        let first = Traffic::new(Generator::default(), 0).next().unwrap();
        assert_eq!(first.id, "p-000001");
    }

    #[test]
    fn ids_do_not_repeat() {
        let generator = Generator::default();
        let ids: HashSet<_> = (1..=2_000).map(|n| generator.document(n).id).collect();
        assert_eq!(ids.len(), 2_000);
    }
}
