using Dashboard.Domain;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Scheduling;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed class NudgeProvisioningTests
{
    [Fact]
    public async Task A_clock_that_cannot_be_reached_is_logged_and_the_reconciler_is_awake_all_the_same()
    {
        var (signal, log) = (new LifecycleSignal(), new Warnings());

        new NudgeProvisioning(new BrokenClock(), signal, log).Provision(new JobId(Guid.NewGuid()));

        Assert.Contains("the reconciler takes the job up by itself", Assert.Single(log.Said), StringComparison.Ordinal);
        await signal.WaitAsync(TimeSpan.FromDays(1), new FakeTimeProvider(), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    private sealed class BrokenClock : IBackgroundJobClient
    {
        public string Create(Job job, IState state) => throw new BackgroundJobClientException("Background job creation failed.", new TimeoutException());

        public bool ChangeState(string jobId, IState state, string expectedState) => throw new NotSupportedException();
    }

    private sealed class Warnings : ILogger<NudgeProvisioning>
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Said.Add(formatter(state, exception));
    }
}
