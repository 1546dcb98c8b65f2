use super::super::interactions::InteractionMatrix;
use super::*;
use crate::rng::SeededRng;

fn random_log(n_users: usize, n_items: usize, seed: u64) -> InteractionMatrix {
    let mut rng = SeededRng::new(seed, 0);
    let item = |rng: &mut SeededRng| (rng.uniform() * rng.uniform() * n_items as f64) as u32;
    let rows = (0..n_users).map(|_| (0..1 + rng.below(9)).map(|_| item(&mut rng)).collect());
    let rows = rows.collect();
    InteractionMatrix::new(n_items, rows)
}

/// The definition: each column is what ridge regression on all the others gives.
#[test]
fn ease_is_ridge_regression_on_the_other_items() {
    let matrix = random_log(60, 12, 1);
    let weights = ease(&matrix, 3.0).unwrap();
    let gram = |i: usize, j: usize| {
        let both = matrix.rows().filter(|r| r.contains(&(i as u32)) && r.contains(&(j as u32)));
        both.count() as f64
    };
    for target in 0..12 {
        assert_eq!(weights.row(target)[target], 0.0);
        // The gradient of |x_t - X b|^2 + 3 |b|^2 vanishes for every b_j but the target's own.
        for j in (0..12).filter(|j| *j != target) {
            let fitted: f64 = (0..12).map(|k| gram(j, k) * weights.row(k)[target]).sum();
            let gradient = fitted + 3.0 * weights.row(j)[target] - gram(j, target);
            assert!(gradient.abs() < 1e-10, "{target}, {j}: {gradient}");
        }
    }
}

#[test]
fn top_m_keeps_the_largest_of_each_target() {
    let dense = ease(&random_log(80, 40, 2), 2.0).unwrap();
    let sparse = top_m(&dense, 5);
    for target in 0..40u32 {
        let all: Vec<f64> = (0..40).map(|j| dense.row(j)[target as usize]).collect();
        let kept: Vec<f64> = (0..40)
            .flat_map(|j| sparse.row(j).filter(|(t, _)| *t == target).map(|(_, w)| w))
            .collect();
        // An item that nobody has has no weights.
        assert_eq!(kept.len(), all.iter().filter(|w| **w != 0.0).count().min(5));
        let least = kept.iter().fold(f64::INFINITY, |m, w| m.min(w.abs()));
        assert!(all.iter().filter(|w| w.abs() > least).count() < 5);
    }
    // With all weights kept, scores are those of the dense weights.
    assert_eq!(top_m(&dense, 40).scores(&[3, 9, 1]), dense.scores(&[3, 9, 1]));
}

#[test]
fn item_knn_is_the_shrunk_cosine() {
    let matrix = random_log(50, 15, 3);
    let weights = item_knn(&matrix, 2.5, 15);
    let users = |i: u32| matrix.rows().filter(|r| r.contains(&i)).count() as f64;
    for j in 0..15u32 {
        let row: Vec<(u32, f64)> = weights.row(j as usize).collect();
        let expected: Vec<(u32, f64)> = (0..15)
            .filter(|i| *i != j)
            .map(|i| {
                let both = matrix.rows().filter(|r| r.contains(&i) && r.contains(&j)).count();
                (i, both as f64 / ((users(i) * users(j)).sqrt() + 2.5))
            })
            .filter(|(_, w)| *w > 0.0)
            .collect();
        assert_eq!(row, expected);
    }
    assert!((0..15).all(|i| {
        let few = item_knn(&matrix, 2.5, 3);
        (0..15).flat_map(|j| few.row(j).collect::<Vec<_>>()).filter(|(t, _)| *t == i).count() <= 3
    }));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let matrix = random_log(400, 150, 4);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (top_m(&ease(&matrix, 5.0).unwrap(), 9), item_knn(&matrix, 1.0, 9)))
    };
    assert_eq!(on(1), on(5));
}

#[test]
fn a_log_without_items_or_users_is_no_special_case() {
    let empty = InteractionMatrix::new(0, vec![]);
    assert_eq!(top_m(&ease(&empty, 1.0).unwrap(), 3).n_items(), 0);
    let silent = InteractionMatrix::new(3, vec![vec![]]);
    assert_eq!(ease(&silent, 1.0).unwrap().scores(&[0, 1]), [0.0; 3]);
    assert_eq!(item_knn(&silent, 1.0, 2).scores(&[0, 1]), [0.0; 3]);
}
