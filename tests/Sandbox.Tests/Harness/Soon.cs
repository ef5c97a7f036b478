
namespace Dashboard.Sandbox.Tests.Harness;

/// <summary><see cref="Eventually"/> within the running test.</summary>
public static class Soon
{
    public static Task HoldsAsync(Func<Task<bool>> holds, string what) => Eventually.HoldsAsync(holds, what, ct: TestContext.Current.CancellationToken);
}
