using CsCheck;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Tests.Budgets;

public sealed class BudgetStepsTests
{
    private static readonly Money Limit = Money.FromUsd(300);

    [Theory]
    [InlineData(74.99, 0, new int[0])]
    [InlineData(75, 0, new[] { 25 })]
    [InlineData(240, 0, new[] { 25, 50, 75 })]
    [InlineData(240, 50, new[] { 75 })]
    [InlineData(400, 90, new[] { 100 })]
    [InlineData(400, 100, new int[0])]
    public void Every_step_that_is_reached_and_was_not_told_is_due(double spent, int told, int[] due) =>
        Assert.Equal(due, BudgetSteps.Due(BudgetSteps.Usual, Money.FromUsd((decimal)spent), Limit, told));

    [Fact]
    public void However_spending_comes_in_each_step_is_told_once_and_in_order() =>
        Gen.Long[1, 40_000_000].List[1, 40].Sample(charges =>
        {
            var (spent, told, said) = (Money.Zero, 0, new List<int>());
            foreach (var charge in charges)
            {
                spent += new Money(charge);
                foreach (var step in BudgetSteps.Due(BudgetSteps.Usual, spent, Limit, told))
                {
                    said.Add(step);
                    told = step;
                }
            }

            return said.SequenceEqual(BudgetSteps.Usual.Where(step => step <= BudgetSteps.Reached(BudgetSteps.Usual, spent, Limit)));
        });

    [Theory]
    [InlineData("50, 80, 100", "50, 80, 100")]
    [InlineData("100;50 50%", "50, 100")]
    [InlineData("", "")]
    [InlineData("0", null)]
    [InlineData("101", null)]
    [InlineData("half", null)]
    [InlineData("1 2 3 4 5 6 7 8 9 10 11", null)]
    public void Steps_are_read_as_people_type_them(string typed, string? read) =>
        Assert.Equal(read, BudgetSteps.Read(typed) is { } steps ? BudgetSteps.Write(steps) : null);
}
