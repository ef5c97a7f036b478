using Dashboard.Domain.Notifications;

namespace Dashboard.Domain.Tests.Notifications;

public sealed class DeliveryRulesTests
{
    [Fact]
    public void Each_wait_is_longer_than_the_one_before_up_to_an_hour_and_all_of_them_are_about_four_hours()
    {
        var waits = Enumerable.Range(1, DeliveryRules.MostTries - 1).Select(tries => DeliveryRules.Wait(tries, null)).ToList();

        Assert.Equal(waits.Order(), waits);
        Assert.Equal(TimeSpan.FromSeconds(30), waits[0]);
        Assert.Equal(TimeSpan.FromHours(1), waits[^1]);
        Assert.InRange(waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait), TimeSpan.FromHours(3), TimeSpan.FromHours(5));
    }

    [Fact]
    public void What_the_receiver_asks_for_is_waited_for_up_to_an_hour()
    {
        Assert.Equal(TimeSpan.FromMinutes(5), DeliveryRules.Wait(1, TimeSpan.FromMinutes(5)));
        Assert.Equal(TimeSpan.FromSeconds(30), DeliveryRules.Wait(1, TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.FromHours(1), DeliveryRules.Wait(1, TimeSpan.FromDays(7)));
    }

    [Theory]
    [InlineData(500, false)]
    [InlineData(503, false)]
    [InlineData(429, false)]
    [InlineData(408, false)]
    [InlineData(404, true)]
    [InlineData(410, true)]
    [InlineData(302, true)]
    public void Only_answers_that_stay_the_same_end_the_tries_at_once(int status, bool final) => Assert.Equal(final, DeliveryRules.IsFinal(status));
}
