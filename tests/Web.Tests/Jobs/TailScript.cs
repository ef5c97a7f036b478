using Bunit;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>Stands in for <c>JobConsole.razor.js</c>: the same rows kept and dropped, without a browser.</summary>
internal sealed class TailScript
{
    public const string Module = "./Features/Jobs/JobConsole.razor.js";
    private const int Most = 2000;
    private const int Least = 1500;
    private readonly List<ConsoleRow> _rows = [];
    private readonly JSRuntimeInvocationHandler _reveals;

    public TailScript(BunitContext context)
    {
        var module = context.JSInterop.SetupModule(Module);
        module.SetupVoid("mount", _ => true).SetVoidResult();
        module.SetupVoid("unmount", _ => true).SetVoidResult();
        module.SetupVoid("toEnd", _ => true).SetVoidResult();
        module.SetupVoid("mark", _ => true).SetVoidResult();
        _reveals = module.SetupVoid("reveal", _ => true);
        _reveals.SetVoidResult();
        module.AddInvocationHandler(new Append(this));
        module.AddInvocationHandler(new Trim(this));
    }

    /// <summary>Indexes of the lines the browser holds.</summary>
    public IReadOnlyList<int> Held { get { lock (_rows) { return [.. _rows.Select(row => row.Index)]; } } }

    /// <summary>Lines the browser was asked to show, in that order.</summary>
    public IReadOnlyList<int> Revealed => [.. _reveals.Invocations.Select(i => (int)i.Arguments[1]!)];

    public IReadOnlyList<string> Texts { get { lock (_rows) { return [.. _rows.Select(row => row.Text)]; } } }

    private sealed class Append(TailScript tail) : JSRuntimeInvocationHandler<int>(invocation => invocation.Identifier == "append", isCatchAllHandler: false)
    {
        protected override Task<int> HandleAsync(JSRuntimeInvocation invocation)
        {
            lock (tail._rows)
            {
                tail._rows.AddRange((ConsoleRow[])invocation.Arguments[1]!);
                return Task.FromResult(tail._rows[tail._rows.Count > Most ? ^Least : 0].Index);
            }
        }
    }

    private sealed class Trim(TailScript tail) : JSRuntimeInvocationHandler<Microsoft.JSInterop.Infrastructure.IJSVoidResult>(invocation => invocation.Identifier == "trim", isCatchAllHandler: false)
    {
        protected override Task<Microsoft.JSInterop.Infrastructure.IJSVoidResult> HandleAsync(JSRuntimeInvocation invocation)
        {
            lock (tail._rows)
            {
                tail._rows.RemoveAll(row => row.Index < (int)invocation.Arguments[1]!);
            }

            return Task.FromResult<Microsoft.JSInterop.Infrastructure.IJSVoidResult>(default!);
        }
    }
}
