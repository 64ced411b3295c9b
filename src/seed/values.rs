//! The variables of a template and believable values for them.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::catalog::{BRANDS, MARKETS, PRODUCTS, QUALIFIERS};

/// A variable of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Id,
    Sku,
    Name,
    Brand,
    Category,
    Market,
    Price,
    Rrp,
    Currency,
    Stock,
    Warehouse,
    ValidFrom,
    UpdatedAt,
}

impl Variable {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "sku" => Self::Sku,
            "name" => Self::Name,
            "brand" => Self::Brand,
            "category" => Self::Category,
            "market" => Self::Market,
            "price" => Self::Price,
            "rrp" => Self::Rrp,
            "currency" => Self::Currency,
            "stock" => Self::Stock,
            "warehouse" => Self::Warehouse,
            "validFrom" => Self::ValidFrom,
            "updatedAt" => Self::UpdatedAt,
            _ => return None,
        })
    }
}

/// One value for each variable, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) id: String,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) brand: String,
    pub(super) category: String,
    pub(super) market: String,
    pub(super) price: String,
    pub(super) rrp: String,
    pub(super) currency: String,
    pub(super) stock: String,
    pub(super) warehouse: String,
    pub(super) valid_from: String,
    pub(super) updated_at: String,
}

/// Sample documents are dated from here on: content follows from the seed, not from the clock.
const FIRST_IMPORT: &str = "2026-01-05T06:00:00Z";

impl Values {
    pub(super) fn get(&self, variable: Variable) -> &str {
        match variable {
            Variable::Id => &self.id,
            Variable::Sku => &self.sku,
            Variable::Name => &self.name,
            Variable::Brand => &self.brand,
            Variable::Category => &self.category,
            Variable::Market => &self.market,
            Variable::Price => &self.price,
            Variable::Rrp => &self.rrp,
            Variable::Currency => &self.currency,
            Variable::Stock => &self.stock,
            Variable::Warehouse => &self.warehouse,
            Variable::ValidFrom => &self.valid_from,
            Variable::UpdatedAt => &self.updated_at,
        }
    }

    /// The same at so many percent off the recommended price.
    pub(super) fn marked_down(mut self, percent: f64) -> Self {
        if let Ok(rrp) = self.rrp.parse::<f64>() {
            self.price = format!("{:.2}", charming(rrp * (1.0 - percent / 100.0)));
        }
        self
    }

    /// Version `change` (0 = the first) of product number `n`.
    pub(super) fn of(seed: u64, n: u64, change: u64) -> Self {
        let mut product = rng(seed, n, 0);
        let (noun, category, from, to) = pick(&PRODUCTS, &mut product, ("Article", "General", 5, 50));
        let (market, currency, factor) = pick(&MARKETS, &mut product, ("GB", "GBP", 1.0));
        let brand = pick(&BRANDS, &mut product, "Northwind");
        let name = format!("{} {noun}", pick(&QUALIFIERS, &mut product, "Plain"));
        let rrp = charming(f64::from(product.random_range(from..=to)) * factor);
        let sku = format!("{}-{:05}", &category[..2].to_ascii_uppercase(), product.random_range(0..100_000));

        let mut version = rng(seed, n, change + 1);
        // A fifth of the prices are not reduced; the others by up to 40 %.
        let reduction =
            if version.random_bool(0.2) { 0.0 } else { f64::from(version.random_range(3..=40)) / 100.0 };
        let price = if reduction == 0.0 { rrp } else { charming(rrp * (1.0 - reduction)) };
        let imported = FIRST_IMPORT.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH);
        let updated =
            i64::try_from(n % 100_000).unwrap_or(0) + i64::try_from(change % 10_000_000).unwrap_or(0) * 7;
        let updated =
            imported.saturating_add(SignedDuration::from_millis(updated * 1_013)).unwrap_or(imported);
        Self {
            id: format!("p-{n:06}"),
            sku,
            name,
            brand: brand.to_owned(),
            category: category.to_owned(),
            market: market.to_owned(),
            price: format!("{price:.2}"),
            rrp: format!("{rrp:.2}"),
            currency: currency.to_owned(),
            stock: version.random_range(0..400).to_string(),
            warehouse: format!("{market}-{}", version.random_range(1..=3)),
            valid_from: imported.to_string(),
            updated_at: updated.to_string(),
        }
    }
}

/// A generator of its own for each version of each product, so that any can be made without those before.
fn rng(seed: u64, n: u64, change: u64) -> StdRng {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = seed.wrapping_mul(SPREAD).wrapping_add(n).wrapping_mul(SPREAD).wrapping_add(change);
    StdRng::seed_from_u64(mixed)
}

fn pick<T: Copy>(list: &[T], rng: &mut StdRng, otherwise: T) -> T {
    list.choose(rng).copied().unwrap_or(otherwise)
}

/// Prices end in .99, .95 or .00, as on shelves.
fn charming(amount: f64) -> f64 {
    let whole = amount.floor().max(1.0);
    match whole as u64 % 5 {
        0 => whole,
        1 => whole - 0.05,
        _ => whole - 0.01,
    }
}
