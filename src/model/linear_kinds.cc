// The linear kinds and their settings.
#include "model/linear_model.h"
#include "model/linear_rules.h"

namespace attune {
namespace {

constexpr Setting kFtrlSettings[] = {
    {"alpha", 0.1, 1e-6, 100, "learning rate of each weight"},
    {"beta", 1, 0, 1e6, "keeps the first steps small"},
    {"l1", 0, 0, 1e6, "what a weight must overcome to leave 0"},
    {"l2", 0, 0, 1e6, "draws weights to 0"},
};
constexpr Setting kSgdSettings[] = {
    {"learning_rate", 0.05, 1e-9, 100, "size of a step"},
    {"power", 0, 0, 1, "the rate falls as rows^-power; 0 = constant"},
    {"l2", 0, 0, 1e3, "draws weights of a row's features to 0"},
};
constexpr Setting kAdagradSettings[] = {
    {"learning_rate", 0.07, 1e-9, 100, "size of the first step"},
    {"initial", 1, 1e-12, 1e6, "sum of squared gradients to begin with"},
    {"l2", 0, 0, 1e3, "draws weights of a row's features to 0"},
};
constexpr Setting kAdamSettings[] = {
    {"learning_rate", 0.001, 1e-9, 100, "size of a step"},
    {"beta1", 0.9, 0, 0.9999, "memory of the gradient"},
    {"beta2", 0.999, 0, 0.999999, "memory of its square"},
};
constexpr Setting kLinearSettings[] = {
    {"learning_rate", 0.5, 1e-9, 100, "size of a step, relative to the largest label"},
};

}  // namespace

const KindRow kFtrlKind{
    {"ftrl", "logistic regression, a rate for each weight (McMahan 2013)", kFtrlSettings},
    make_linear<FtrlRule>};
const KindRow kSgdKind{{"sgd", "logistic regression, stochastic gradient descent", kSgdSettings},
                       make_linear<SgdRule>};
const KindRow kAdagradKind{
    {"adagrad", "logistic regression, AdaGrad (Duchi 2011)", kAdagradSettings},
    make_linear<AdagradRule>};
const KindRow kAdamKind{{"adam", "logistic regression, Adam (Kingma 2015)", kAdamSettings},
                        make_linear<AdamRule>};
const KindRow kLinearKind{
    {"linear", "least squares, indifferent to units (Ross 2013)", kLinearSettings},
    make_linear<NormalisedRule>};

}  // namespace attune
